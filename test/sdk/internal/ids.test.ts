import { expect, test } from "bun:test";
import { parseApplicationId } from "../../../src/sdk/internal/ids.ts";

const UUID = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";

test.each([
  [UUID, UUID],
  [UUID.toUpperCase(), UUID],
  ["app_01HWY4MYSEFGESW2GZ5CY4TQKF", UUID],
  ["APP_01hwy4mysefgesw2gz5cy4tqkf", UUID],
  ["app_00000000000000000000000000", "00000000-0000-0000-0000-000000000000"],
  ["app_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
  // 130 bits: one more than an id has.
  ["app_80000000000000000000000000", null],
  ["usr_01HWY4MYSEFGESW2GZ5CY4TQKF", null],
  // I, L, O and U are not in Crockford's alphabet.
  ["app_01HWY4MYSEFGESW2GZ5CY4TQKI", null],
  ["app_01HWY4MYSEFGESW2GZ5CY4TQK", null],
  [`${UUID}\n`, null],
  ["", null],
])("%p is %p", (text, expected) => {
  expect(parseApplicationId(text)).toBe(expected);
});
