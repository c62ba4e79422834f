import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { type AccessClaims, SallyportServer } from "sallyport/server";

// SALLYPORT_URL and SALLYPORT_APP_ID choose whose tokens are valid.
const sallyport = new SallyportServer();

const requireSession = createMiddleware<{ Variables: { user: AccessClaims } }>(async (c, next) => {
  const { claims, response } = await sallyport.authenticateRequest(c.req.raw);
  if (response) return response;
  c.set("user", claims);
  await next();
});

const app = new Hono();
app.get("/", (c) => c.json({ message: "Open to everybody." }));
app.get("/me", requireSession, (c) => c.json({ user: { id: c.var.user.sub, email: c.var.user.email } }));

const server = Bun.serve({ port: Number(process.env.PORT ?? 3000), fetch: app.fetch });
console.log(`Listening on http://localhost:${server.port}`);
