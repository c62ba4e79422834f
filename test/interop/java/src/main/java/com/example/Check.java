package com.example;

import com.auth0.jwk.JwkException;
import com.auth0.jwt.JWT;
import com.auth0.jwt.exceptions.IncorrectClaimException;
import com.auth0.jwt.exceptions.JWTVerificationException;
import com.auth0.jwt.exceptions.TokenExpiredException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;

/**
 * Drives the client and the verifier against a live appliance.
 *
 * <p>Prints {@code ok <check>} for each check that holds, and ends at the first {@code not ok <check>: <why>}. At the line
 * {@code rotate} it waits until its caller has rotated the signing keys and writes a line. The table of libraries and
 * algorithms uses {@code library <versions>} and {@code algorithm <name> …}.
 */
public final class Check {
  private static final String URL = System.getenv("SALLYPORT_URL");
  private static final String AUDIENCE = System.getenv("SALLYPORT_API_AUDIENCE");
  private static final String OTHER_TENANT_URL = System.getenv("SALLYPORT_OTHER_TENANT_URL");
  private static final String SHORT_LIVED_APP_ID = System.getenv("SALLYPORT_SHORT_LIVED_APP_ID");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String email = randomText() + "@example.com";
  private final String password = randomText();
  private final SallyportClient client = new SallyportClient(URL, null);
  private final SallyportVerifier verifier = new SallyportVerifier(URL, AUDIENCE);
  private final SallyportClient shortLivedClient = new SallyportClient(URL, SHORT_LIVED_APP_ID);
  private final SallyportVerifier shortLivedVerifier =
      new SallyportVerifier(URL, URL + "/api/" + SHORT_LIVED_APP_ID);
  private SallyportClient.Tokens registered;
  private SallyportClient.Tokens signedIn;
  private SallyportClient.Tokens refreshed;
  private SallyportClient.Tokens shortLived;
  private Instant shortLivedUntil;

  private Check() throws IOException {}

  public static void main(String[] args) throws IOException {
    new Check().run();
  }

  private void run() {
    System.out.println("library " + jarOf(JWT.class) + ", " + jarOf(JwkException.class));
    check("signs up", () -> registered = client.register(email, password));
    check(
        "accepts a token that expires soon",
        () -> {
          shortLived = shortLivedClient.login(email, password);
          shortLivedUntil = Instant.now().plus(shortLived.expiresIn());
          shortLivedVerifier.verify(shortLived.accessToken());
        });
    check(
        "refuses another application's token",
        () -> expectRefusal(IncorrectClaimException.class, () -> verifier.verify(shortLived.accessToken())));
    check(
        "signs in",
        () -> {
          signedIn = client.login(email, password);
          expect(signedIn.userId().equals(registered.userId()), "another user");
        });
    check(
        "refreshes",
        () -> {
          refreshed = client.refresh(signedIn.refreshToken());
          expect(!refreshed.accessToken().equals(signedIn.accessToken()), "the same token");
        });
    check(
        "verifies by the root JWKS",
        () -> {
          for (var tokens : List.of(registered, signedIn, refreshed)) expectOurs(tokens.accessToken());
        });
    check(
        "verifies by the shortest snippet",
        () -> {
          var claims = SallyportVerifier.snippet(URL, refreshed.accessToken());
          expect(claims.getClaim("email").asString().equals(email), "another address");
        });
    check(
        "refuses a tampered token",
        () -> {
          for (String token : tampered(refreshed.accessToken())) {
            expectRefusal(JWTVerificationException.class, () -> verifier.verify(token));
            expectRefusal(JWTVerificationException.class, () -> SallyportVerifier.snippet(URL, token));
          }
        });
    check(
        "refuses another tenant's token",
        () -> {
          String theirs = new SallyportClient(OTHER_TENANT_URL, null).register(email, password).accessToken();
          SallyportVerifier.snippet(OTHER_TENANT_URL, theirs);
          expectRefusal(JwkException.class, () -> verifier.verify(theirs));
          expectRefusal(JwkException.class, () -> SallyportVerifier.snippet(URL, theirs));
        });
    check(
        "refuses a refresh token, however lax",
        () -> {
          String token = refreshed.refreshToken();
          expectRefusal(JwkException.class, () -> verifier.verify(token));
          expectRefusal(JwkException.class, () -> SallyportVerifier.snippet(URL, token));
          expectRefusal(JWTVerificationException.class, () -> SallyportVerifier.laxSnippet(URL, token));
        });
    check(
        "survives a key rotation",
        () -> {
          System.out.println("rotate");
          var caller = new BufferedReader(new InputStreamReader(System.in));
          expect("rotated".equals(caller.readLine()), "nobody rotated the keys");
          String after = loginWithNewKey(refreshed.accessToken());
          expectOurs(after);
          expectOurs(refreshed.accessToken());
          SallyportVerifier.snippet(URL, after);
        });
    check(
        "says which algorithms it verifies",
        () -> {
          var applicationIds = JSON.readTree(System.getenv("SALLYPORT_ALGORITHM_APP_IDS"));
          for (var entry : applicationIds.properties()) tryAlgorithm(entry.getKey(), entry.getValue().asText());
        });
    check(
        "refuses an expired token",
        () -> {
          Thread.sleep(Math.max(0, Duration.between(Instant.now(), shortLivedUntil).toMillis()) + 1_000);
          String token = shortLived.accessToken();
          expectRefusal(TokenExpiredException.class, () -> shortLivedVerifier.verify(token));
          expectRefusal(TokenExpiredException.class, () -> SallyportVerifier.snippet(URL, token));
        });
  }

  private void expectOurs(String token) throws JwkException {
    var claims = verifier.verify(token);
    expect(claims.getSubject().equals(registered.userId()), "another subject");
  }

  private void tryAlgorithm(String algorithm, String applicationId) throws Exception {
    String token = new SallyportClient(URL, applicationId).login(email, password).accessToken();
    String jwksUrl = URL + "/v1/applications/" + applicationId + "/.well-known/jwks.json";
    var verifier = new SallyportVerifier(URL, URL + "/api/" + applicationId, algorithm, jwksUrl);
    try {
      verifier.verify(token);
    } catch (JwkException | JWTVerificationException refusal) {
      Throwable cause = refusal.getCause() == null ? refusal : refusal.getCause();
      System.out.println("algorithm " + algorithm + " unsupported: " + cause);
      return;
    }
    for (String other : tampered(token)) expectRefusal(JWTVerificationException.class, () -> verifier.verify(other));
    System.out.println("algorithm " + algorithm + " verified");
  }

  /** Returns name and version of a library from its file name: {@code java-jwt-4.6.2.jar} is {@code java-jwt 4.6.2}. */
  private static String jarOf(Class<?> type) {
    String file = Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath()).getFileName().toString();
    return file.replaceFirst("-([0-9.]+)\\.jar$", " $1");
  }

  /** Signs in until the server has seen the rotation by another process. */
  private String loginWithNewKey(String before) throws IOException, InterruptedException {
    String oldKey = JWT.decode(before).getKeyId();
    for (Instant deadline = Instant.now().plusSeconds(20); Instant.now().isBefore(deadline); Thread.sleep(500)) {
      String token = client.login(email, password).accessToken();
      if (!JWT.decode(token).getKeyId().equals(oldKey)) return token;
    }
    throw new AssertionError("new tokens are still signed by the old key");
  }

  private static List<String> tampered(String token) throws IOException {
    String[] parts = token.split("\\.");
    ObjectNode header = (ObjectNode) JSON.readTree(Base64.getUrlDecoder().decode(parts[0]));
    ObjectNode claims = (ObjectNode) JSON.readTree(Base64.getUrlDecoder().decode(parts[1]));
    header.put("alg", "none");
    claims.put("sub", "00000000-0000-7000-8000-000000000000");
    char first = parts[2].charAt(0) == 'A' ? 'B' : 'A';
    return List.of(
        parts[0] + "." + encode(claims) + "." + parts[2],
        parts[0] + "." + parts[1] + "." + first + parts[2].substring(1),
        encode(header) + "." + parts[1] + ".");
  }

  private static String encode(ObjectNode part) throws IOException {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(JSON.writeValueAsBytes(part));
  }

  private static String randomText() {
    return new BigInteger(160, new SecureRandom()).toString(36);
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void check(String name, Work work) {
    try {
      work.run();
      System.out.println("ok " + name);
    } catch (Exception | AssertionError error) {
      System.out.println("not ok " + name + ": " + error);
      System.exit(1);
    }
  }

  private static void expect(boolean condition, String otherwise) {
    if (!condition) throw new AssertionError(otherwise);
  }

  private static void expectRefusal(Class<? extends Exception> kind, Work verify) throws Exception {
    try {
      verify.run();
    } catch (Exception refusal) {
      if (kind.isInstance(refusal)) return;
      throw refusal;
    }
    throw new AssertionError("took the token");
  }
}
