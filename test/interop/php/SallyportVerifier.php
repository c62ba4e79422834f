<?php

declare(strict_types=1);

require_once __DIR__ . '/PublishedKeys.php';
require_once __DIR__ . '/Signature.php';

class TokenRefused extends RuntimeException
{
}

final class TokenExpired extends TokenRefused
{
}

/** Verifies access tokens with the published keys, without calling the server and without a JWT library. */
final class SallyportVerifier
{
    private readonly PublishedKeys $keys;

    /** @param string $folder keeps the keys between requests; only this program may write there */
    public function __construct(
        private readonly string $url,
        private readonly string $audience,
        string $folder,
        private readonly string $algorithm = 'RS256',
        ?string $jwksUrl = null,
    ) {
        $this->keys = new PublishedKeys($jwksUrl ?? "$url/.well-known/jwks.json", $folder);
    }

    /**
     * @return array the claims
     * @throws TokenRefused or its subclass TokenExpired
     */
    public function verify(string $token): array
    {
        $claims = self::claims($token, $this->algorithm, $this->keys->find(...));
        if (($claims['iss'] ?? null) !== $this->url) {
            throw new TokenRefused('another issuer');
        }
        if (!in_array($this->audience, (array) ($claims['aud'] ?? []), true)) {
            throw new TokenRefused('another audience');
        }
        if (($claims['typ'] ?? null) !== 'access' || !is_string($claims['sub'] ?? null)) {
            throw new TokenRefused('this is not an access token');
        }
        return $claims;
    }

    /** The shortest program. It checks only signature and expiry, not the audience, so use verify instead. */
    public static function snippet(string $url, string $token): array
    {
        $jwks = PublishedKeys::fetch("$url/.well-known/jwks.json");
        return self::claims($token, 'RS256', fn (string $kid) => PublishedKeys::in($jwks, $kid));
    }

    /**
     * Checks signature, header and times.
     *
     * @param callable(string): ?array $find returns the key with a kid
     */
    private static function claims(string $token, string $algorithm, callable $find): array
    {
        $parts = explode('.', $token);
        if (count($parts) !== 3) {
            throw new TokenRefused('this is not a JWT');
        }
        try {
            $header = json_decode(Signature::decode($parts[0]), true, 8, JSON_THROW_ON_ERROR);
            $kid = is_array($header) ? $header['kid'] ?? null : null;
            // Refuses `none`, HS256 with the public key as its secret, and critical extensions.
            if (!is_string($kid) || ($header['alg'] ?? null) !== $algorithm || isset($header['crit'])) {
                throw new TokenRefused("the header must have the algorithm $algorithm and a kid");
            }
            $key = $find($kid) ?? throw new TokenRefused('no published key has this kid');
            if (!Signature::verifies($algorithm, $key, "$parts[0].$parts[1]", Signature::decode($parts[2]))) {
                throw new TokenRefused('the signature is not by this key');
            }
            $claims = json_decode(Signature::decode($parts[1]), true, 32, JSON_THROW_ON_ERROR);
        } catch (JsonException | InvalidArgumentException $error) {
            throw new TokenRefused($error->getMessage(), 0, $error);
        }
        if (!is_int($claims['exp'] ?? null) || $claims['exp'] <= time()) {
            throw new TokenExpired('the token has expired');
        }
        return $claims;
    }
}
