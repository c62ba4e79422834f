import { totp } from "../../support/totp.ts";
import type { ReactSite } from "./react-site.ts";
import type { Stage } from "./stage.ts";

/** Milliseconds for which a code of an authenticator app is valid. */
const STEP = 30_000;

/**
 * Sets up an authenticator app in the open account.
 * @param confirm proves the address, if the dialog asks for that first
 * @returns its secret and the recovery codes
 */
export async function addTotp(
  stage: Stage,
  site: ReactSite,
  confirm?: () => Promise<void>,
): Promise<{ secret: string; codes: string[] }> {
  const { page } = site;
  await page.getByRole("button", { name: "Set up an authenticator app" }).click();
  await confirm?.();
  const secret = (await page.locator(".sallyport-secret").textContent())?.replaceAll(" ", "") ?? "";
  await page.getByLabel("Code from your authenticator app").fill(totp(secret, stage.instance.now()));
  await page.getByRole("button", { name: "Turn on" }).click();
  const codes = await keepCodes(site);
  // Each time step is accepted once.
  stage.instance.ahead += STEP;
  return { secret, codes };
}

/** Takes the new recovery codes, and confirms that they are kept, which closes their dialog. */
export async function keepCodes({ page }: ReactSite): Promise<string[]> {
  const dialog = page.getByRole("dialog", { name: "Keep your recovery codes" });
  await dialog.waitFor();
  const codes = await dialog.locator("code").allTextContents();
  await dialog.getByRole("button", { name: "Done" }).click();
  await dialog.getByRole("alert").filter({ hasText: "tick the box" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await dialog.getByLabel("I have kept these codes").check();
  await dialog.getByRole("button", { name: "Done" }).click();
  await dialog.waitFor({ state: "detached" });
  return codes;
}
