import { fileURLToPath } from "node:url";
import { SallyportError, SallyportServer } from "sallyport/server";

const sallyport = new SallyportServer();
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

async function notes(request: Request): Promise<Response> {
  try {
    const { sub } = await sallyport.verifyToken(request.headers.get("authorization") ?? "");
    return new Response(`Notes of ${sub}`);
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    return Response.json({ error: { code: error.code, message: error.message } }, { status: error.status });
  }
}

const server = Bun.serve({
  port: Number(process.env.PORT ?? 3000),
  routes: {
    "/": () => new Response(Bun.file(file("index.html"))),
    "/main.js": () => new Response(script, { headers: { "content-type": "text/javascript" } }),
    "/styles.css": () => new Response(Bun.file(styles)),
    "/api/notes": notes,
  },
  fetch: () => new Response("not found", { status: 404 }),
});
console.log(`http://localhost:${server.port}`);
