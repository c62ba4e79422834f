<?php

declare(strict_types=1);

/** The keys of a JWKS. PHP's memory ends with the request, so a file keeps them between requests. */
final class PublishedKeys
{
    private const KEPT_FOR = 300; // seconds, as the JWKS says

    private readonly string $file;

    /** @param string $folder writable only for this program: a program that writes there can forge tokens */
    public function __construct(private readonly string $jwksUrl, string $folder)
    {
        $this->file = $folder . '/jwks-' . hash('sha256', $jwksUrl) . '.json';
    }

    /**
     * Returns a published key. A new kid shows a rotation, so it triggers a fetch, but at most once a second, because anybody
     * can invent a kid.
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
            // A concurrent reader sees either the whole old file or the whole new file.
            $draft = tempnam(dirname($this->file), 'jwks');
            file_put_contents($draft, $text);
            rename($draft, $this->file);
            $key = self::in($text, $kid);
        }
        return $key;
    }

    /** @return string the JWKS as the server sent it */
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
