/** The smallest useful executable: a server with one constant answer. */
const server = Bun.serve({
  port: Number(process.env.PORT ?? 0),
  hostname: "127.0.0.1",
  fetch: () => new Response("ok"),
});
console.log(JSON.stringify({ port: server.port }));
