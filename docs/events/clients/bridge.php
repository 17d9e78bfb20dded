<?php
// Raises events through an outbox, a folder of files. PHP 8.1 or newer with openssl, no packages.
//   php bridge.php enqueue < events.jsonl    stores one event a line and prints the name of its file
//   php bridge.php drain                     sends what is stored, until the outbox is empty
//   php bridge.php validate < event.json     prints what the bridge would understand, and raises nothing
// Environment: BRIDGE_URL, BRIDGE_KEY, BRIDGE_OUTBOX, and optionally BRIDGE_SIGNING_SECRET and the seconds below.

final class Bridge
{
    public function __construct(
        private string $url, private string $key, private string $outbox, private string $secret = '',
        private float $timeout = 30, private float $pause = 1, private float $pauseMax = 300,
    ) {
        is_dir("$outbox/refused") || mkdir("$outbox/refused", 0700, true);
    }

    /** Stores an event. Once this has returned, no crash loses the event. */
    public function enqueue(array|object $event): string
    {
        $name = sprintf('%d-%s', (int) (microtime(true) * 1000), bin2hex(random_bytes(16)));
        $body = json_encode($event, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION);
        $file = fopen("{$this->outbox}/$name.tmp", 'xb');
        $isStored = fwrite($file, $body) === strlen($body) && fsync($file) && fclose($file)
            && rename("{$this->outbox}/$name.tmp", "{$this->outbox}/$name.json");
        return $isStored ? $name : throw new RuntimeException("cannot store the event in {$this->outbox}");
    }

    /** Sends until the outbox is empty. Returns how many events the bridge refused; they are in "refused". */
    public function drain(): int
    {
        for ($failures = $refused = 0; $names = preg_filter('/\.json$/', '', scandir($this->outbox));) {
            foreach ($names as $name) {
                $file = "{$this->outbox}/$name.json";
                if (($body = @file_get_contents($file)) === false) {
                    file_exists($file) && throw new RuntimeException("cannot read $file");
                    continue; // Another process has sent it.
                }
                [$status, $answer, $retryAfter] = $this->post('/v1/events', $name, $body);
                if ($status === 0 || $status === 429 || $status >= 500) {
                    $backoff = min($this->pauseMax, $this->pause * 2 ** $failures++) * random_int(500, 1000) / 1000;
                    fprintf(STDERR, "%s: %s, pause %.2f s\n", $name, $status ?: 'no answer', $retryAfter + $backoff);
                    usleep((int) (($retryAfter + $backoff) * 1_000_000));
                    continue;
                }
                $failures = 0;
                if ($status === 202) {
                    @unlink($file);
                } elseif (in_array($status, [400, 413, 415, 422], true)) { // The same event would get the same answer.
                    $refused++;
                    file_put_contents("{$this->outbox}/refused/$name.answer", $answer);
                    @rename($file, "{$this->outbox}/refused/$name.json");
                } else { // The call itself is wrong. The events stay in the outbox.
                    throw new RuntimeException("the bridge answers $status: check its address and the key");
                }
                file_exists($file) && throw new RuntimeException("cannot remove $file");
            }
        }
        return $refused;
    }

    /** Returns the status and the text of the answer to a dry run. */
    public function validate(array|object $event): array
    {
        return $this->post('/v1/events/validate', bin2hex(random_bytes(16)), json_encode($event));
    }

    /** Returns status, text and seconds of Retry-After of the answer. The status is 0 if there was none. */
    private function post(string $path, string $name, string $body): array
    {
        $headers = ['Content-Type: application/json', "X-API-Key: {$this->key}", 'Connection: close'];
        if ($this->secret !== '') { // Standard Webhooks: each try has a signature of its own.
            $now = time();
            $mac = hash_hmac('sha256', "$name.$now.$body", base64_decode(substr($this->secret, 6)), true);
            $signature = 'v1,' . base64_encode($mac);
            array_push($headers, "webhook-id: $name", "webhook-timestamp: $now", "webhook-signature: $signature");
        }
        $http = ['method' => 'POST', 'header' => $headers, 'content' => $body, 'timeout' => $this->timeout,
            'protocol_version' => 1.1, 'ignore_errors' => true, 'follow_location' => 0];
        $stream = @fopen(rtrim($this->url, '/') . $path, 'rb', false, stream_context_create(['http' => $http]));
        $lines = $stream ? implode("\n", stream_get_meta_data($stream)['wrapper_data']) : '';
        $status = preg_match('#^HTTP/\S+ (\d{3})#', $lines, $found) ? (int) $found[1] : 0;
        $retryAfter = preg_match('#^Retry-After: *(\d+)$#mi', $lines, $found) ? (int) $found[1] : 0;
        return [$status, $stream ? stream_get_contents($stream) : '', $retryAfter];
    }
}

if (realpath($argv[0] ?? '') === __FILE__) {
    $bridge = new Bridge(getenv('BRIDGE_URL'), getenv('BRIDGE_KEY'), getenv('BRIDGE_OUTBOX'),
        getenv('BRIDGE_SIGNING_SECRET') ?: '', getenv('BRIDGE_TIMEOUT_S') ?: 30, getenv('BRIDGE_PAUSE_S') ?: 1,
        getenv('BRIDGE_PAUSE_MAX_S') ?: 300);
    match ($argv[1] ?? '') {
        'enqueue' => array_map(fn ($line) => print($bridge->enqueue(json_decode($line)) . "\n"), file('php://stdin')),
        'drain' => $bridge->drain() === 0 || throw new RuntimeException('see the events in refused/ of the outbox'),
        'validate' => print($bridge->validate(json_decode(stream_get_contents(STDIN)))[1] . "\n"),
    };
}
