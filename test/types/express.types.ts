import express from "express";
import express4 from "express4";
import { type AccessClaims, requireScope, requireSession } from "../../src/sdk/express/index.ts";

/** The quickstart's program with the types of Express 5 and Express 4. The compiler checks it, and nothing runs it. */
declare function assertType<_T extends true>(): void;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export function underExpress5(): void {
  const app = express();
  app.use(requireSession({ tenantUrl: "https://login.example.com", audience: "api.example.com" }));
  const auth = requireSession({ aal: "aal2", maxAge: 300 });
  app.get("/me", auth, requireScope("read"), (req, res) => {
    assertType<Same<typeof req.user, AccessClaims>>();
    assertType<Same<typeof req.user.sub, string>>();
    res.json({ sub: req.user.sub, email: req.user.email });
  });
  express.Router().use(auth, requireScope(["a", "b"]));
  // @ts-expect-error claims come from the issuer and are read-only
  app.get("/", (req) => delete req.user.sub);
  // @ts-expect-error no such level
  requireSession({ aal: "aal3" });
}

export function underExpress4(): void {
  const app = express4();
  const auth = requireSession({ tenantUrl: "https://login.example.com", audience: "api.example.com" });
  app.use(auth, requireScope("read"));
  app.get("/me", auth, (req, res) => void res.json({ sub: req.user.sub, email: req.user.email }));
}
