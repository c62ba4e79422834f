<?php

declare(strict_types=1);

/** The keys of a JWKS. Memory lasts for one request in PHP, so they are kept in a file between requests. */
final class PublishedKeys
{
    private const KEPT_FOR = 300; // seconds, as the JWKS says

    private readonly string $file;

    /** @param string $folder where only this program may write: who can write there can forge tokens */
    public function __construct(private readonly string $jwksUrl, string $folder)
    {
        $this->file = $folder . '/jwks-' . hash('sha256', $jwksUrl) . '.json';
    }

    /**
     * The keys are fetched at once for a kid that is new, which is how a rotation shows; but no more than once a second, since
     * anybody can make up a kid.
     *
     * @return array|null the JWK with that kid
     */
    public function find(string $kid): ?array
    {
        clearstatcache(true, $this->file);
        $age = is_file($this->file) ? time() - filemtime($this->file) : PHP_INT_MAX;
        $key = $age <= self::KEPT_FOR ? self::in((string) file_get_contents($this->file), $kid) : null;
        if ($key === null && $age > 1) {
            $text = self::fetch($this->jwksUrl);
            // Whoever reads meanwhile sees the whole old file or the whole new one.
            $draft = tempnam(dirname($this->file), 'jwks');
            file_put_contents($draft, $text);
            rename($draft, $this->file);
            $key = self::in($text, $kid);
        }
        return $key;
    }

    /** @return string the JWKS as it was answered */
    public static function fetch(string $jwksUrl): string
    {
        $text = @file_get_contents($jwksUrl, false, stream_context_create(['http' => ['timeout' => 10]]));
        if ($text === false) {
            throw new RuntimeException("$jwksUrl does not answer");
        }
        return $text;
    }

    public static function in(string $jwks, string $kid): ?array
    {
        foreach (json_decode($jwks, true, flags: JSON_THROW_ON_ERROR)['keys'] as $key) {
            if ($key['kid'] === $kid) {
                return $key;
            }
        }
        return null;
    }
}
