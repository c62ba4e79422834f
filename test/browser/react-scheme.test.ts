import { expect } from "bun:test";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { browserTest } from "./support/chromium.ts";
import { ReactSite } from "./support/react-site.ts";
import { setUpStage } from "./support/stage.ts";

const stage = setUpStage();
const SHOTS = process.env.SALLYPORT_SCREENSHOTS;

/** A host page: its color-scheme, its painted background, and the expected scheme of its components. */
interface Host {
  system: "light" | "dark";
  scheme: "normal" | "light" | "dark" | "light dark";
  theme?: "light" | "dark";
  ground: "light" | "dark";
  expected: "light" | "dark";
}

const HOSTS: readonly Host[] = [
  // A page without a color-scheme is a light page, whatever the system uses.
  { system: "dark", scheme: "normal", ground: "light", expected: "light" },
  { system: "dark", scheme: "light", ground: "light", expected: "light" },
  { system: "light", scheme: "dark", ground: "dark", expected: "dark" },
  { system: "dark", scheme: "light dark", ground: "dark", expected: "dark" },
  { system: "light", scheme: "light dark", ground: "light", expected: "light" },
  // The attribute decides.
  { system: "dark", scheme: "light dark", theme: "light", ground: "light", expected: "light" },
  { system: "light", scheme: "normal", theme: "dark", ground: "dark", expected: "dark" },
  // A dark page without a color-scheme gets light components, which are still readable.
  { system: "dark", scheme: "normal", ground: "dark", expected: "light" },
];

async function dress(page: Page, { scheme, theme, ground }: Host): Promise<void> {
  const colours = ground === "light" ? ["white", "black"] : ["black", "white"];
  await page.evaluate(
    ([colorScheme = "", background = "", color = "", name = ""]) => {
      Object.assign(document.documentElement.style, { colorScheme, background, color });
      Object.assign(document.body.style, { background, color });
      if (name !== "") document.documentElement.dataset.sallyportTheme = name;
    },
    [scheme, ...colours, theme ?? ""],
  );
}

async function contrastProblems(page: Page): Promise<string[]> {
  await page.addScriptTag({ content: axe.source });
  return page.evaluate(async () => {
    const { axe: onPage } = window as unknown as { axe: typeof axe };
    const { violations } = await onPage.run({ runOnly: ["color-contrast"] });
    return violations.flatMap(({ nodes }) => nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`));
  });
}

for (const host of HOSTS) {
  const { system, scheme, theme, ground, expected } = host;
  const page = `a ${ground} page of color-scheme ${scheme}${theme ? ` and theme ${theme}` : ""}`;
  browserTest(`on ${page}, a ${system} system shows ${expected} components that can be read`, async () => {
    await using site = await ReactSite.open(stage, { colorScheme: system, bypassCSP: true });
    await dress(site.page, host);
    expect(await contrastProblems(site.page)).toEqual([]);
    await site.signUp(`scheme-${HOSTS.indexOf(host)}@example.com`);
    await site.openAccount();
    expect(await contrastProblems(site.page)).toEqual([]);
    if (SHOTS) await site.page.screenshot({ path: `${SHOTS}/scheme-${HOSTS.indexOf(host)}.png` });
    const used = await site.page.evaluate(() => {
      const account = document.querySelector(".sallyport-account");
      return account && getComputedStyle(account).colorScheme;
    });
    const surface = await site.page.evaluate(() => {
      const account = document.querySelector(".sallyport-account");
      return account && getComputedStyle(account).backgroundColor;
    });
    // Lightness is the first number of oklch().
    const lightness = Number(/oklch\(([\d.]+)/.exec(surface ?? "")?.[1]);
    expect([used, lightness > 0.5 ? "light" : "dark"]).toEqual([theme ?? scheme, expected]);
  });
}

browserTest("browsers without light-dark() get the same colours, up to an invisible step", async () => {
  await using site = await ReactSite.open(stage, { bypassCSP: true });
  for (const theme of ["light", "dark"] as const) {
    const differences = await site.page.evaluate(async (name) => {
      document.documentElement.dataset.sallyportTheme = name;
      const sheet = await (await fetch("/tokens-fallback.css")).text();
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const probe = document.querySelector<HTMLElement>(".sallyport");
      if (!canvas || !probe) throw new Error("there is nothing to paint on");
      const names = [...new Set([...sheet.matchAll(/(--s-[\w-]+):/g)].map((match) => match[1] ?? ""))];
      const pixel = (token: string) => {
        probe.style.color = `var(${token})`;
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = getComputedStyle(probe).color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
      };
      const known = names.map(pixel);
      const style = document.createElement("style");
      style.textContent = sheet.replace(/@supports not \(.*\) \{/, "@supports (color: red) {");
      document.head.append(style);
      const found = names.map(pixel);
      style.remove();
      // A canvas stores translucent colours premultiplied, so the more it lets through, the more steps are lost.
      const far = (one: number[], other: number[]) => {
        const steps = 2 + (255 / Math.max(one[3] ?? 255, 1) - 1) * 2;
        return one.some((value, at) => Math.abs(value - (other[at] ?? 0)) > steps);
      };
      const compared = names.flatMap((token, at) => {
        const [one = [], other = []] = [known[at], found[at]];
        return far(one, other) ? [`${token}: ${one} and ${other}`] : [];
      });
      return { count: names.length, compared };
    }, theme);
    expect(differences.count).toBeGreaterThan(20);
    expect([theme, differences.compared]).toEqual([theme, []]);
  }
});
