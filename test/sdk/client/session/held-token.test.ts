import { expect, test } from "bun:test";
import { HeldToken } from "../../../../src/sdk/client/session/held-token.ts";

/** A token under two clocks that the test moves apart. */
function held(expiresIn: number) {
  const clocks = { wall: Date.UTC(2001, 0, 1), steady: 5_000 };
  const token = new HeldToken("t", expiresIn, { ...clocks }, () => ({ ...clocks }));
  return { clocks, token };
}

test("the clock that moved further decides how much is left", () => {
  const { clocks, token } = held(900);
  expect(token.remaining).toBe(900);
  clocks.steady += 60_000;
  expect(token.remaining).toBe(840);
  // The wall clock is set back by a year. No token lives longer because of it.
  clocks.wall -= 365 * 86_400_000;
  expect(token.remaining).toBe(840);
  // The device wakes after an hour in which the steady clock stood still.
  clocks.wall = Date.UTC(2001, 0, 1, 1);
  expect(token.remaining).toBe(-2_700);
});

test.each([
  [900, 30],
  [60, 12],
  [10, 2],
])("a token of %d seconds is replaced %d seconds before its end", (expiresIn, ahead) => {
  expect(held(expiresIn).token.ahead).toBe(ahead);
});
