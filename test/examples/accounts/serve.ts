import { fileURLToPath } from "node:url";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const { outputs } = await Bun.build({
  entrypoints: [file("main.tsx")],
  minify: true,
  define: {
    "process.env.NODE_ENV": '"production"',
    "process.env.SALLYPORT_URL": JSON.stringify(process.env.SALLYPORT_URL),
    "process.env.SALLYPORT_APP_ID": JSON.stringify(process.env.SALLYPORT_APP_ID),
  },
});
const script = await outputs[0]?.text();
const styles = fileURLToPath(import.meta.resolve("sallyport/react/styles.css"));

/** Allows nothing inline and nothing from elsewhere: the components need no more. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; " +
  `connect-src 'self' ${new URL(process.env.SALLYPORT_URL ?? "").origin}`;

const server = Bun.serve({
  port: Number(process.env.PORT ?? 3000),
  routes: {
    "/": () => new Response(Bun.file(file("index.html")), { headers: { "content-security-policy": policy } }),
    "/main.js": () => new Response(script, { headers: { "content-type": "text/javascript" } }),
    "/styles.css": () => new Response(Bun.file(styles)),
  },
  fetch: () => new Response("not found", { status: 404 }),
});
console.log(`http://localhost:${server.port}`);
