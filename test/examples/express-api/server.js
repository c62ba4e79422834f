import express from "express";
import { requireSession } from "sallyport/express";

const app = express();

app.get("/", (_req, res) => {
  res.json({ message: "Open to everybody." });
});

// SALLYPORT_URL and SALLYPORT_APP_ID choose whose tokens are valid.
app.get("/me", requireSession(), (req, res) => {
  res.json({ user: { id: req.user.sub, email: req.user.email } });
});

const server = app.listen(Number(process.env.PORT ?? 3000), () => {
  console.log(`Listening on http://localhost:${server.address().port}`);
});
