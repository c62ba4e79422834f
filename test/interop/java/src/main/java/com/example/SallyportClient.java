package com.example;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;

/** Signs users up and in, and refreshes their tokens, over raw REST. */
public final class SallyportClient {
  /** The answer of every sign-in. */
  public record Tokens(String accessToken, Duration expiresIn, String refreshToken, String userId) {}

  /** A refusal by Sallyport. {@code code} is stable and meant for programs, the message is meant for people. */
  public static final class Refused extends IOException {
    public final String code;

    Refused(int status, JsonNode error) {
      super(status + " " + error);
      code = error.path("code").asText();
    }
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private final HttpClient http = HttpClient.newHttpClient();
  private final String url;
  private final String applicationId;

  /** Without an application id (null) it uses the default application, which signs RS256. */
  public SallyportClient(String url, String applicationId) {
    this.url = url;
    this.applicationId = applicationId;
  }

  public Tokens register(String email, String password) throws IOException, InterruptedException {
    return post("/v1/auth/register", Map.of("email", email, "password", password));
  }

  public Tokens login(String email, String password) throws IOException, InterruptedException {
    return post("/v1/auth/login", Map.of("email", email, "password", password));
  }

  /** Spends the refresh token. Replace it with the one in the answer. */
  public Tokens refresh(String refreshToken) throws IOException, InterruptedException {
    return post("/v1/auth/refresh", Map.of("refresh_token", refreshToken));
  }

  private Tokens post(String path, Map<String, String> body) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(Duration.ofSeconds(10))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)));
    if (applicationId != null) request.header("x-application-id", applicationId);
    HttpResponse<byte[]> response = http.send(request.build(), BodyHandlers.ofByteArray());
    JsonNode answer = JSON.readTree(response.body());
    if (response.statusCode() >= 400) throw new Refused(response.statusCode(), answer.path("error"));
    return new Tokens(
        answer.get("access_token").asText(),
        Duration.ofSeconds(answer.get("expires_in").asLong()),
        answer.get("refresh_token").asText(),
        answer.get("user").get("id").asText());
  }
}
