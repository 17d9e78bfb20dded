//   bridge enqueue < events.jsonl    stores one event a line and prints the name of its file
//   bridge drain                     sends what is stored, until the outbox is empty
//   bridge validate < event.json     prints what the bridge would understand, and raises nothing
//
// Environment: BRIDGE_URL, BRIDGE_KEY, BRIDGE_OUTBOX, and optionally BRIDGE_SIGNING_SECRET and the seconds below.
using System;
using System.Globalization;
using System.Text;

static class Program
{
    static int Main(string[] arguments)
    {
        Console.InputEncoding = Encoding.UTF8;
        var bridge = new Bridge(Variable("URL"), Variable("KEY"), Variable("OUTBOX"), Variable("SIGNING_SECRET"));
        bridge.Timeout = Seconds("TIMEOUT_S") ?? TimeSpan.FromSeconds(30);
        bridge.Pause = Seconds("PAUSE_S") ?? bridge.Pause;
        bridge.PauseMax = Seconds("PAUSE_MAX_S") ?? bridge.PauseMax;
        switch (arguments[0])
        {
            case "enqueue":
                for (string line; (line = Console.ReadLine()) != null;) Console.WriteLine(bridge.Enqueue(line));
                return 0;
            case "drain":
                return bridge.DrainAsync().GetAwaiter().GetResult() == 0 ? 0 : 1;
            case "validate":
                Console.WriteLine(bridge.ValidateAsync(Console.In.ReadToEnd()).GetAwaiter().GetResult());
                return 0;
            default:
                return 2;
        }
    }

    static string Variable(string name) => Environment.GetEnvironmentVariable("BRIDGE_" + name);

    static TimeSpan? Seconds(string name) => Variable(name) is string text
        ? TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture))
        : (TimeSpan?)null;
}
