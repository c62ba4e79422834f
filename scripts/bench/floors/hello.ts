/** The least that an executable can be: a server that answers one thing. */
const server = Bun.serve({
  port: Number(process.env.PORT ?? 0),
  hostname: "127.0.0.1",
  fetch: () => new Response("ok"),
});
console.log(JSON.stringify({ port: server.port }));
