<?php

declare(strict_types=1);

/**
 * Checks signatures of RFC 7518 and RFC 8037 with PHP's own extensions: openssl for RS256 and ES256, sodium for EdDSA.
 * Openssl needs keys as PEM and ECDSA signatures as ASN.1, where JOSE has bare numbers.
 */
final class Signature
{
    /** @throws InvalidArgumentException for another algorithm or key */
    public static function verifies(string $algorithm, array $jwk, string $signed, string $signature): bool
    {
        // The caller chooses the algorithm, never the token. The key must be made for it.
        if (($jwk['alg'] ?? null) !== $algorithm) {
            throw new InvalidArgumentException("the key is not for $algorithm");
        }
        return match ($algorithm) {
            'RS256' => openssl_verify($signed, $signature, self::rsaKey($jwk), OPENSSL_ALGO_SHA256) === 1,
            'ES256' => strlen($signature) === 64
                && openssl_verify($signed, self::ecdsaInDer($signature), self::p256Key($jwk), OPENSSL_ALGO_SHA256) === 1,
            'EdDSA' => strlen($signature) === SODIUM_CRYPTO_SIGN_BYTES
                && sodium_crypto_sign_verify_detached($signature, $signed, self::decode($jwk['x'])),
            default => throw new InvalidArgumentException("$algorithm is not supported"),
        };
    }

    /** @throws InvalidArgumentException unless the text is base64url */
    public static function decode(string $text): string
    {
        $bytes = base64_decode(strtr($text, '-_', '+/'), true);
        if ($bytes === false || str_contains($text, '=')) {
            throw new InvalidArgumentException('this is not base64url');
        }
        return $bytes;
    }

    /** Returns a SubjectPublicKeyInfo with rsaEncryption (RFC 8017, appendix A.1). */
    public static function rsaKey(array $jwk): string
    {
        $numbers = self::integer(self::decode($jwk['n'])) . self::integer(self::decode($jwk['e']));
        $algorithm = self::der(0x30, hex2bin('06092a864886f70d010101') . hex2bin('0500'));
        return self::pem($algorithm, self::der(0x30, $numbers));
    }

    /** Returns a SubjectPublicKeyInfo with id-ecPublicKey and prime256v1 (RFC 5480). */
    private static function p256Key(array $jwk): string
    {
        [$x, $y] = [self::decode($jwk['x']), self::decode($jwk['y'])];
        if (strlen($x) !== 32 || strlen($y) !== 32) {
            throw new InvalidArgumentException('this is not a P-256 key');
        }
        $algorithm = self::der(0x30, hex2bin('06072a8648ce3d0201') . hex2bin('06082a8648ce3d030107'));
        return self::pem($algorithm, "\x04$x$y");
    }

    private static function ecdsaInDer(string $signature): string
    {
        return self::der(0x30, self::integer(substr($signature, 0, 32)) . self::integer(substr($signature, 32)));
    }

    private static function pem(string $algorithm, string $key): string
    {
        $info = self::der(0x30, $algorithm . self::der(0x03, "\0$key"));
        return "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($info), 64, "\n") . "-----END PUBLIC KEY-----\n";
    }

    /** Encodes a number. Without a zero before it, a number that starts with a set bit would be negative. */
    private static function integer(string $bytes): string
    {
        $bytes = ltrim($bytes, "\0");
        return self::der(0x02, $bytes === '' || ord($bytes[0]) > 0x7f ? "\0$bytes" : $bytes);
    }

    private static function der(int $tag, string $content): string
    {
        $length = strlen($content);
        $bytes = ltrim(pack('N', $length), "\0");
        return chr($tag) . ($length < 0x80 ? chr($length) : chr(0x80 | strlen($bytes)) . $bytes) . $content;
    }
}
