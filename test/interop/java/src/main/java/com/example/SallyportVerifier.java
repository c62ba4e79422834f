package com.example;

import com.auth0.jwk.InvalidPublicKeyException;
import com.auth0.jwk.Jwk;
import com.auth0.jwk.JwkException;
import com.auth0.jwk.JwkProvider;
import com.auth0.jwk.JwkProviderBuilder;
import com.auth0.jwk.UrlJwkProvider;
import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import com.auth0.jwt.exceptions.JWTVerificationException;
import com.auth0.jwt.interfaces.DecodedJWT;
import java.net.MalformedURLException;
import java.net.URI;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.concurrent.TimeUnit;

/** Verifies access tokens with the published keys, without calling the server. */
public final class SallyportVerifier {
  private final JwkProvider keys;
  private final String issuer;
  private final String audience;
  private final String algorithm;

  /** Verifies RS256 tokens of the default application with the root JWKS. */
  public SallyportVerifier(String url, String audience) throws MalformedURLException {
    this(url, audience, "RS256", url + "/.well-known/jwks.json");
  }

  public SallyportVerifier(String url, String audience, String algorithm, String jwksUrl)
      throws MalformedURLException {
    // The library uses a URL object as it is. It appends /.well-known/jwks.json to a string, even a second time.
    // Keeps keys for five minutes, as the JWKS says. A new kid shows a rotation, so it triggers a fetch. Anybody can invent
    // a kid, so ten such fetches a minute are allowed, and further tokens are refused.
    keys =
        new JwkProviderBuilder(URI.create(jwksUrl).toURL())
            .cached(10, 5, TimeUnit.MINUTES)
            .rateLimited(10, 1, TimeUnit.MINUTES)
            .build();
    issuer = url;
    this.audience = audience;
    this.algorithm = algorithm;
  }

  /**
   * @throws JwkException for a token whose key is not published
   * @throws JWTVerificationException for all other refusals, such as TokenExpiredException
   */
  public DecodedJWT verify(String token) throws JwkException {
    DecodedJWT unverified = JWT.decode(token);
    return JWT.require(algorithmWith(keys.get(unverified.getKeyId())))
        .withIssuer(issuer)
        .withAudience(audience)
        .withClaim("typ", "access")
        // Without this, java-jwt accepts a token that never expires.
        .withClaimPresence("exp")
        .withClaimPresence("sub")
        .build()
        .verify(unverified);
  }

  private Algorithm algorithmWith(Jwk key) throws InvalidPublicKeyException {
    return switch (algorithm) {
      case "RS256" -> Algorithm.RSA256((RSAPublicKey) key.getPublicKey(), null);
      case "ES256" -> Algorithm.ECDSA256((ECPublicKey) key.getPublicKey(), null);
      default -> throw new JWTVerificationException("java-jwt has no algorithm for " + key.getPublicKey());
    };
  }

  /** The shortest program. It checks only signature and expiry, not the audience, so use {@link #verify} instead. */
  static DecodedJWT snippet(String url, String token) throws JwkException {
    JwkProvider provider = new UrlJwkProvider(url + "/.well-known/jwks.json");
    DecodedJWT jwt = JWT.decode(token);
    RSAPublicKey key = (RSAPublicKey) provider.get(jwt.getKeyId()).getPublicKey();
    return JWT.require(Algorithm.RSA256(key, null)).build().verify(jwt);
  }

  /** A hasty workaround for a refused token: it accepts any published key, and checks no claims. */
  static void laxSnippet(String url, String token) throws JwkException {
    JWTVerificationException refusal = null;
    for (var jwk : new UrlJwkProvider(url + "/.well-known/jwks.json").getAll()) {
      try {
        Algorithm.RSA256((RSAPublicKey) jwk.getPublicKey(), null).verify(JWT.decode(token));
        return;
      } catch (JWTVerificationException refused) {
        refusal = refused;
      }
    }
    if (refusal != null) throw refusal;
  }
}
