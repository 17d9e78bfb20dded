// Raises events through an outbox, a folder of files. .NET Framework 4.7.2, .NET 6 or Mono; no packages.
using System;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;

public sealed class Bridge
{
    readonly HttpClient http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
    readonly Random random = new Random();
    readonly string url, key, outbox, secret;

    public Bridge(string url, string key, string outbox, string secret = null)
    {
        this.url = url.TrimEnd('/'); this.key = key; this.outbox = outbox; this.secret = secret;
        Directory.CreateDirectory(Path.Combine(outbox, "refused"));
    }

    public TimeSpan Timeout { get => http.Timeout; set => http.Timeout = value; }
    public TimeSpan Pause { get; set; } = TimeSpan.FromSeconds(1);
    public TimeSpan PauseMax { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Stores an event as JSON. Once this has returned, no crash loses the event.</summary>
    public string Enqueue(string json)
    {
        var name = $"{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}-{Guid.NewGuid():N}";
        var unfinished = Path.Combine(outbox, name + ".tmp");
        File.WriteAllText(unfinished, json);
        using (var file = new FileStream(unfinished, FileMode.Open, FileAccess.ReadWrite)) file.Flush(true);
        File.Move(unfinished, Path.Combine(outbox, name + ".json"));
        return name;
    }

    /// <summary>Sends until the outbox is empty. Returns how many events were refused; they are in "refused".</summary>
    public async Task<int> DrainAsync()
    {
        int failures = 0, refused = 0;
        for (string[] files; (files = Directory.GetFiles(outbox, "*.json")).Length > 0;)
            foreach (var file in files.OrderBy(path => path, StringComparer.Ordinal))
            {
                var name = Path.GetFileNameWithoutExtension(file);
                try
                {
                    var (status, text, retryAfter) = await PostAsync("/v1/events", name, File.ReadAllText(file));
                    if (status == 0 || status == 429 || status >= 500)
                    {
                        var backoff = Math.Min(PauseMax.TotalSeconds, Pause.TotalSeconds * Math.Pow(2, failures++));
                        var pause = retryAfter + backoff * (0.5 + random.NextDouble() / 2);
                        Console.Error.WriteLine($"{name}: {status}, pause {pause:F2} s");
                        await Task.Delay(TimeSpan.FromSeconds(pause));
                        continue;
                    }
                    failures = 0;
                    if (status == 400 || status == 413 || status == 415 || status == 422)
                    {
                        refused++; // The same event would get the same answer again.
                        File.WriteAllText(Path.Combine(outbox, "refused", name + ".answer"), text);
                        File.Move(file, Path.Combine(outbox, "refused", name + ".json"));
                    }
                    else if (status == 202) File.Delete(file);
                    else throw new InvalidOperationException($"the bridge answers {status}: check address and key");
                }
                catch (FileNotFoundException) { } // Another process has sent it.
            }
        return refused;
    }

    /// <summary>Returns the answer to a dry run.</summary>
    public async Task<string> ValidateAsync(string json) =>
        (await PostAsync("/v1/events/validate", Guid.NewGuid().ToString("N"), json)).Text;

    // The status is 0 if there was no answer.
    async Task<(int Status, string Text, double RetryAfter)> PostAsync(string path, string name, string json)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, url + path);
        request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        request.Headers.Add("X-API-Key", key);
        if (secret != null) // Standard Webhooks: each try has a signature of its own.
        {
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString();
            var mac = new HMACSHA256(Convert.FromBase64String(secret.Replace("whsec_", "")));
            var signature = Convert.ToBase64String(mac.ComputeHash(Encoding.UTF8.GetBytes($"{name}.{now}.{json}")));
            request.Headers.Add("webhook-id", name);
            request.Headers.Add("webhook-timestamp", now);
            request.Headers.Add("webhook-signature", "v1," + signature);
        }
        try
        {
            var answer = await http.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            return ((int)answer.StatusCode, text, answer.Headers.RetryAfter?.Delta?.TotalSeconds ?? 0);
        }
        catch (Exception e) when (e is HttpRequestException || e is TaskCanceledException || e is IOException)
        { return (0, "", 0); }
    }
}
