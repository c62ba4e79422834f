import { describe, expect, test } from "bun:test";
import { isTooDeep, parseJsonObject } from "../../src/core/json.ts";

test.each(["[]", "null", "1", '"a"', "", "{", "{}x", "\uFEFF{}"])("%p is not a JSON object", (text) => {
  expect(parseJsonObject(text)).toBeNull();
});

test("__proto__ becomes a member and changes no prototype", () => {
  const value = parseJsonObject('{"__proto__":{"admin":true}}');
  expect(value && Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(value?.admin).toBeUndefined();
});

describe("the depth of a JSON text", () => {
  const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  test.each([
    ["32 levels pass", nested(32), false],
    ["33 levels do not pass", nested(33), true],
    ["objects count like arrays", `${'{"a":['.repeat(17)}`, true],
    ["levels side by side do not add up", `[${Array(100).fill("[{}]").join(",")}]`, false],
    ["brackets in a string do not count", JSON.stringify("[".repeat(100)), false],
    ["an escaped quote does not end a string", JSON.stringify(`\\"${"[".repeat(100)}`), false],
    ["a string without an end hides the rest", `"${"[".repeat(100)}`, false],
    ["a closing bracket without an opening one allows no further level", `${"]".repeat(1)}${"[".repeat(34)}`, true],
  ])("%s", (_name, text, expected) => {
    expect(isTooDeep(text)).toBe(expected);
  });
});
