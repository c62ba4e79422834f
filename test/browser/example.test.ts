import { afterAll, beforeAll, expect, test } from "bun:test";
import { browserTest, launch } from "./support/chromium.ts";
import { type ExampleProject, exampleProject } from "./support/example-project.ts";
import { PASSWORD, setUpStage } from "./support/stage.ts";

const stage = setUpStage();
let project: ExampleProject;

beforeAll(async () => {
  project = await exampleProject("react-spa");
}, 120_000);

afterAll(() => project[Symbol.asyncDispose]());

test("the example type-checks", () => project.typeCheck("main.tsx", "serve.ts"));

browserTest("the example signs a user up, and its server knows the user", async () => {
  const { instance } = stage;
  await using server = await project.serve({ SALLYPORT_URL: instance.url, SALLYPORT_APP_ID: instance.applicationId });
  await instance.change({ origins: [server.origin] });
  await using context = await (await launch()).newContext();
  const page = await context.newPage();
  await page.goto(server.origin);
  await page.getByLabel("Email address").fill("example@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("Hello, example@example.com").waitFor();
  await page.getByRole("button", { name: "Load my notes" }).click();
  await page.waitForFunction(() => document.title.startsWith("Notes of "));
  const { sub } = await page.evaluate(() => ({ sub: document.title.slice("Notes of ".length) }));
  expect(sub).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
});
