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

/** Verifies access tokens by the published keys, without asking the server. */
public final class SallyportVerifier {
  private final JwkProvider keys;
  private final String issuer;
  private final String audience;
  private final String algorithm;

  /** For RS256, which the default application signs, by the root JWKS. */
  public SallyportVerifier(String url, String audience) throws MalformedURLException {
    this(url, audience, "RS256", url + "/.well-known/jwks.json");
  }

  public SallyportVerifier(String url, String audience, String algorithm, String jwksUrl)
      throws MalformedURLException {
    // A URL object is taken as it is; a string gets /.well-known/jwks.json appended, even if it ends so already.
    // Keys are kept for five minutes, as the JWKS says, and fetched at once for a kid that is new, which is how a rotation
    // shows. Anybody can make up a kid: ten such fetches a minute are allowed, and what is over that is refused.
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
   * @throws JwkException for a token by a key that is not published
   * @throws JWTVerificationException for everything else, such as TokenExpiredException
   */
  public DecodedJWT verify(String token) throws JwkException {
    DecodedJWT unverified = JWT.decode(token);
    return JWT.require(algorithmWith(keys.get(unverified.getKeyId())))
        .withIssuer(issuer)
        .withAudience(audience)
        .withClaim("typ", "access")
        // Without this java-jwt takes a token that never expires.
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

  /** The shortest program: signature and expiry only. It does not ask whom the token is for, so use {@link #verify}. */
  static DecodedJWT snippet(String url, String token) throws JwkException {
    JwkProvider provider = new UrlJwkProvider(url + "/.well-known/jwks.json");
    DecodedJWT jwt = JWT.decode(token);
    RSAPublicKey key = (RSAPublicKey) provider.get(jwt.getKeyId()).getPublicKey();
    return JWT.require(Algorithm.RSA256(key, null)).build().verify(jwt);
  }

  /** The same with what somebody in a hurry may try when a token is refused: any published key, no claims checked. */
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
