import { expect, test } from "bun:test";
import { HeldToken } from "../../../../src/sdk/client/session/held-token.ts";

/** Two clocks that are moved apart. */
function held(expiresIn: number) {
  const clocks = { wall: Date.UTC(2001, 0, 1), steady: 5_000 };
  const token = new HeldToken("t", expiresIn, { ...clocks }, () => ({ ...clocks }));
  return { clocks, token };
}

test("what is left is counted by the clock that went further", () => {
  const { clocks, token } = held(900);
  expect(token.remaining).toBe(900);
  clocks.steady += 60_000;
  expect(token.remaining).toBe(840);
  // Set back by a year: no token lives longer for it.
  clocks.wall -= 365 * 86_400_000;
  expect(token.remaining).toBe(840);
  // Woken after an hour in which the steady clock stood still.
  clocks.wall = Date.UTC(2001, 0, 1, 1);
  expect(token.remaining).toBe(-2_700);
});

test.each([
  [900, 30],
  [60, 12],
  [10, 2],
])("a token of %d seconds is replaced %d seconds ahead", (expiresIn, ahead) => {
  expect(held(expiresIn).token.ahead).toBe(ahead);
});
