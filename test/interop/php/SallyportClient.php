<?php

declare(strict_types=1);

/** A refusal by Sallyport. errorCode is stable and meant for programs, the message is meant for people. */
final class SallyportRefused extends RuntimeException
{
    public readonly string $errorCode;

    public function __construct(int $status, array $error)
    {
        parent::__construct("$status {$error['code']}: {$error['message']} (request {$error['request_id']})");
        $this->errorCode = $error['code'];
    }
}

/**
 * Signs users up and in over raw REST. Without an application id it uses the default application, which signs RS256.
 * Every answer holds access_token, expires_in (seconds), refresh_token and user.
 */
final class SallyportClient
{
    public function __construct(private readonly string $url, private readonly ?string $applicationId = null)
    {
    }

    public function register(string $email, string $password): array
    {
        return $this->post('/v1/auth/register', ['email' => $email, 'password' => $password]);
    }

    public function login(string $email, string $password): array
    {
        return $this->post('/v1/auth/login', ['email' => $email, 'password' => $password]);
    }

    /** Spends the refresh token. Replace it with the one in the answer. */
    public function refresh(string $refreshToken): array
    {
        return $this->post('/v1/auth/refresh', ['refresh_token' => $refreshToken]);
    }

    private function post(string $path, array $body): array
    {
        $headers = ['Content-Type: application/json', 'Connection: close'];
        if ($this->applicationId !== null) {
            $headers[] = "X-Application-Id: {$this->applicationId}";
        }
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => $headers,
            'content' => json_encode($body, JSON_THROW_ON_ERROR),
            'timeout' => 10,
            'ignore_errors' => true, // the body of a refusal holds the reason
        ]]);
        $text = @file_get_contents($this->url . $path, false, $context);
        if ($text === false) {
            throw new RuntimeException("{$this->url} does not answer");
        }
        $answer = json_decode($text, true, flags: JSON_THROW_ON_ERROR);
        if (isset($answer['error'])) {
            throw new SallyportRefused((int) explode(' ', $http_response_header[0])[1], $answer['error']);
        }
        return $answer;
    }
}
