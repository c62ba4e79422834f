import { expect, test } from "bun:test";
import { renderToString } from "react-dom/server";
import { SallyportProvider, SignedIn, SignedOut, SignIn, UserButton, useAuth } from "../../../src/sdk/react/index.ts";

function Actions() {
  return <p>{useAuth() === null ? "no page" : "a page"}</p>;
}

test("without a page it is not known who is signed in, and forms are there", () => {
  const html = renderToString(
    <SallyportProvider session={null} texts={{ signIn: "Anmelden" }}>
      <SignedIn>in</SignedIn>
      <SignedOut>out</SignedOut>
      <UserButton />
      <Actions />
      <SignIn />
    </SallyportProvider>,
  );
  expect(html).toStartWith("<p>no page</p><section");
  expect(html).toContain(">Anmelden</h2>");
  expect(html).not.toContain("style=");
});

test("without a provider it says what is missing", () => {
  expect(() => renderToString(<SignIn />)).toThrow("<SallyportProvider>");
});
