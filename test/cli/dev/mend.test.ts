import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { mendOf } from "../../../src/cli/dev/mend.ts";
import { AppError, type ErrorCode } from "../../../src/core/errors.ts";

const context = {
  command: "npx sallyport",
  flags: {},
  positionals: [],
  env: {},
  foreignVariables: [],
  print() {},
  warn() {},
};
const APPLICATION = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";

function mend(page: string | null, options: { code?: ErrorCode; directory?: string | null } = {}): string | null {
  const { code = "origin_not_allowed", directory = resolve(".sallyport/dev") } = options;
  const error = new AppError(code);
  const rest = { requestId: "", method: "POST", path: "/", status: 403, ms: 0, address: "", isOpen: false };
  return mendOf(context, directory, { ...rest, page, applicationId: APPLICATION, error });
}

test("the command names the application, the page and, if necessary, the data", () => {
  const command = "npx sallyport app set app_01HWY4MYSEFGESW2GZ5CY4TQKF --add-origin";
  expect(mend("https://shop.example.com")).toBe(`${command} https://shop.example.com`);
  expect(mend("http://192.168.0.2:3000")).toBe(`${command} http://192.168.0.2:3000`);
  const elsewhere = mend("https://shop.example.com", { directory: "/tmp/it's here" });
  expect(elsewhere).toBe(`${command} https://shop.example.com --data '/tmp/it'\\''s here'`);
});

test("only a refusal because of a page gets a command, and only if a command can help", () => {
  expect(mend(null)).toBeNull();
  expect(mend("https://shop.example.com", { code: "forbidden" })).toBeNull();
  expect(mend("https://shop.example.com", { directory: null })).toContain("without --ephemeral");
  expect(mend("null")).toContain("serve that page");
});

test.each([
  "https://a.example;rm -rf ~",
  "https://a.example$(id)",
  "https://a.example'",
  "https://a.example\nid",
  "https://a.example/path",
  "https://--data",
  "javascript:alert(1)",
])("no word of a command comes from a caller: %p", (page) => {
  expect(mend(page)).not.toContain("--add-origin");
});
