<?php

declare(strict_types=1);

// Drives the client and the verifier against a live appliance: `php check.php`.
//
// Prints `ok <check>` for each check that holds, and ends at the first `not ok <check>: <why>`. At the line `rotate` it
// waits until its caller has rotated the signing keys and writes a line. The table of libraries and algorithms uses
// `library <versions>` and `algorithm <name> …`.

require_once __DIR__ . '/SallyportClient.php';
require_once __DIR__ . '/SallyportVerifier.php';

/** @template T @param callable(): T $work @return T */
function check(string $name, callable $work): mixed
{
    try {
        $result = $work();
    } catch (Throwable $error) {
        echo "not ok $name: " . get_class($error) . ' ' . json_encode($error->getMessage()) . "\n";
        exit(1);
    }
    echo "ok $name\n";
    return $result;
}

function expect(bool $condition, string $otherwise): void
{
    if (!$condition) {
        throw new LogicException($otherwise);
    }
}

function expectRefusal(callable $verify, string $kind = TokenRefused::class): void
{
    try {
        $claims = $verify();
    } catch (TokenRefused $refusal) {
        expect($refusal instanceof $kind, "refused for another reason than $kind: {$refusal->getMessage()}");
        return;
    }
    throw new LogicException('took a token with ' . json_encode($claims));
}

function part(string $token, int $index): array
{
    return json_decode(Signature::decode(explode('.', $token)[$index]), true, flags: JSON_THROW_ON_ERROR);
}

function encode(array $part): string
{
    return rtrim(strtr(base64_encode(json_encode($part, JSON_UNESCAPED_SLASHES)), '+/', '-_'), '=');
}

function tampered(string $token): array
{
    [$header, $payload, $signature] = explode('.', $token);
    $claims = ['sub' => '00000000-0000-7000-8000-000000000000'] + part($token, 1);
    return [
        "$header." . encode($claims) . ".$signature",
        "$header.$payload." . ($signature[0] === 'A' ? 'B' : 'A') . substr($signature, 1),
        encode(['alg' => 'none'] + part($token, 0)) . ".$payload.",
    ];
}

$url = getenv('SALLYPORT_URL');
$otherTenantUrl = getenv('SALLYPORT_OTHER_TENANT_URL');
$shortLivedApp = getenv('SALLYPORT_SHORT_LIVED_APP_ID');
$email = bin2hex(random_bytes(8)) . '@example.com';
$password = bin2hex(random_bytes(16));
$folder = sys_get_temp_dir() . '/sallyport-php-' . bin2hex(random_bytes(8));
mkdir($folder, 0700);
register_shutdown_function(function () use ($folder): void {
    array_map(unlink(...), glob("$folder/*"));
    rmdir($folder);
});
$client = new SallyportClient($url);
$verifier = new SallyportVerifier($url, getenv('SALLYPORT_API_AUDIENCE'), $folder);
$shortLivedVerifier = new SallyportVerifier($url, "$url/api/$shortLivedApp", $folder);
$tryAlgorithm = function (string $algorithm, string $app) use ($url, $email, $password, $folder): void {
    $token = (new SallyportClient($url, $app))->login($email, $password)['access_token'];
    $jwksUrl = "$url/v1/applications/$app/.well-known/jwks.json";
    $verifier = new SallyportVerifier($url, "$url/api/$app", $folder, $algorithm, $jwksUrl);
    try {
        $verifier->verify($token);
    } catch (TokenRefused $refusal) {
        echo "algorithm $algorithm unsupported: {$refusal->getMessage()}\n";
        return;
    }
    foreach (tampered($token) as $other) {
        expectRefusal(fn () => $verifier->verify($other));
    }
    echo "algorithm $algorithm verified\n";
};
$openssl = explode(' ', OPENSSL_VERSION_TEXT)[1];
echo 'library PHP ' . PHP_VERSION . ", openssl $openssl, sodium " . SODIUM_LIBRARY_VERSION . "\n";

$registered = check('signs up', fn () => $client->register($email, $password));

[$shortLived, $shortLivedUntil] = check('accepts a token that expires soon', function () use (
    $url, $shortLivedApp, $email, $password, $shortLivedVerifier,
): array {
    $answer = (new SallyportClient($url, $shortLivedApp))->login($email, $password);
    $until = microtime(true) + $answer['expires_in'];
    $shortLivedVerifier->verify($answer['access_token']);
    return [$answer['access_token'], $until];
});

check("refuses another application's token", fn () => expectRefusal(fn () => $verifier->verify($shortLived)));

$signedIn = check('signs in', function () use ($client, $email, $password, $registered): array {
    $answer = $client->login($email, $password);
    expect($answer['user']['id'] === $registered['user']['id'], 'another user');
    return $answer;
});

$refreshed = check('refreshes', function () use ($client, $signedIn): array {
    $answer = $client->refresh($signedIn['refresh_token']);
    expect($answer['access_token'] !== $signedIn['access_token'], 'the same token');
    return $answer;
});

$expectOurs = function (string $token) use ($verifier, $registered): void {
    expect($verifier->verify($token)['sub'] === $registered['user']['id'], 'another subject');
};

check('verifies by the root JWKS', function () use ($expectOurs, $registered, $signedIn, $refreshed): void {
    array_map($expectOurs, array_column([$registered, $signedIn, $refreshed], 'access_token'));
});

check('verifies by the shortest snippet', function () use ($url, $refreshed, $email): void {
    expect(SallyportVerifier::snippet($url, $refreshed['access_token'])['email'] === $email, 'another address');
});

check('refuses a tampered token', function () use ($url, $verifier, $refreshed): void {
    foreach (tampered($refreshed['access_token']) as $token) {
        expectRefusal(fn () => $verifier->verify($token));
        expectRefusal(fn () => SallyportVerifier::snippet($url, $token));
    }
});

check("refuses another tenant's token", function () use ($url, $otherTenantUrl, $verifier, $email, $password): void {
    $theirs = (new SallyportClient($otherTenantUrl))->register($email, $password)['access_token'];
    SallyportVerifier::snippet($otherTenantUrl, $theirs);
    expectRefusal(fn () => $verifier->verify($theirs));
    expectRefusal(fn () => SallyportVerifier::snippet($url, $theirs));
});

// Without a library there are no lax options. The check accepts a signature by any published key.
check('refuses a refresh token, however lax', function () use ($url, $verifier, $refreshed): void {
    $token = $refreshed['refresh_token'];
    expectRefusal(fn () => $verifier->verify($token));
    expectRefusal(fn () => SallyportVerifier::snippet($url, $token));
    [$header, $payload, $signature] = explode('.', $token);
    foreach (json_decode(PublishedKeys::fetch("$url/.well-known/jwks.json"), true)['keys'] as $key) {
        $signed = Signature::verifies($key['alg'], $key, "$header.$payload", Signature::decode($signature));
        $mac = hash_hmac('sha256', "$header.$payload", Signature::rsaKey($key), true);
        expect(!$signed && !hash_equals($mac, Signature::decode($signature)), 'took the signature');
    }
});

check('survives a key rotation', function () use ($url, $client, $email, $password, $refreshed, $expectOurs): void {
    echo "rotate\n";
    expect(fgets(STDIN) === "rotated\n", 'nobody rotated the keys');
    $deadline = time() + 20;
    $after = $client->login($email, $password)['access_token'];
    while (part($after, 0)['kid'] === part($refreshed['access_token'], 0)['kid']) {
        expect(time() < $deadline, 'new tokens are still signed by the old key');
        usleep(500_000);
        $after = $client->login($email, $password)['access_token'];
    }
    array_map($expectOurs, [$after, $refreshed['access_token']]);
    SallyportVerifier::snippet($url, $after);
});

check('says which algorithms it verifies', function () use ($tryAlgorithm): void {
    foreach (json_decode(getenv('SALLYPORT_ALGORITHM_APP_IDS'), true) as $algorithm => $app) {
        $tryAlgorithm($algorithm, $app);
    }
});

check('refuses an expired token', function () use ($url, $shortLivedVerifier, $shortLived, $shortLivedUntil): void {
    usleep((int) (1e6 * (max(0, $shortLivedUntil - microtime(true)) + 1)));
    expectRefusal(fn () => $shortLivedVerifier->verify($shortLived), TokenExpired::class);
    expectRefusal(fn () => SallyportVerifier::snippet($url, $shortLived), TokenExpired::class);
});
