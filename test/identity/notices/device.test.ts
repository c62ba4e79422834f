import { describe, expect, test } from "bun:test";
import { describeDevice } from "../../../src/identity/notices/device.ts";

const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";
const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
const WIN = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-S921B)";

/** User agents as browsers, apps and programs send them. */
const AGENTS: readonly [string, string | null][] = [
  [`${WIN} ${WEBKIT} Chrome/126.0.0.0 Safari/537.36`, "Chrome on Windows"],
  [`${WIN} ${WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.68`, "Edge on Windows"],
  [`${WIN} ${WEBKIT} Chrome/125.0.0.0 Safari/537.36 OPR/111.0.0.0`, "Opera on Windows"],
  [`${WIN} ${WEBKIT} Chrome/126.0.0.0 Safari/537.36 Vivaldi/6.8.3381.46`, "Vivaldi on Windows"],
  [`${WIN} ${WEBKIT} Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36`, "Yandex Browser on Windows"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Windows"],
  ["Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer on Windows"],
  [`${WIN} ${WEBKIT} Code/1.90.2 Chrome/122.0.6261.156 Electron/29.4.0 Safari/537.36`, "Electron on Windows"],
  [
    `${WIN.replace("x64)", "x64; Xbox; Xbox One)")} ${WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edge/44.18363`,
    "Edge on Xbox",
  ],
  [`${MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15`, "Safari on macOS"],
  [`${MAC} ${WEBKIT} Chrome/126.0.0.0 Safari/537.36`, "Chrome on macOS"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on macOS"],
  [`${MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15 Ddg/17.5`, "DuckDuckGo on macOS"],
  [`${IPHONE} Version/17.5 Mobile/15E148 Safari/604.1`, "Safari on iPhone"],
  [`${IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1`, "Chrome on iPhone"],
  [`${IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15`, "Firefox on iPhone"],
  [`${IPHONE} Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/604.1`, "Edge on iPhone"],
  [`${IPHONE} GSA/322.0.645130125 Mobile/15E148 Safari/604.1`, "Google app on iPhone"],
  [`${IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/469.0.0.38.104;FBBV/609]`, "Facebook on iPhone"],
  [`${IPHONE} Mobile/15E148 Instagram 338.1.2.27.103 (iPhone15,2; iOS 17_5)`, "Instagram on iPhone"],
  [
    "Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
    "Safari on iPad",
  ],
  [`${ANDROID} ${WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36`, "Chrome on Android"],
  [`${ANDROID} ${WEBKIT} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`, "Samsung Internet on Android"],
  [`${ANDROID} ${WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.0.0`, "Edge on Android"],
  ["Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "Firefox on Android"],
  [
    `Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A; wv) ${WEBKIT} Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36`,
    "Android WebView on Android",
  ],
  [`Mozilla/5.0 (Linux; Android 11; KFTRWI) ${WEBKIT} Silk/124.2.2 like Chrome/124.0 Safari/537.36`, "Silk on Android"],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/126.0.0.0 Safari/537.36`, "Chrome on ChromeOS"],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Linux"],
  [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} HeadlessChrome/126.0.0.0 Safari/537.36`, "Chrome on Linux"],
  ["Mozilla/5.0 (X11; FreeBSD amd64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on FreeBSD"],
  [`Mozilla/5.0 (Web0S; Linux/SmartTV) ${WEBKIT} Chrome/94.0.4606.128 Safari/537.36 WebAppManager`, "Chrome on TV"],
  ["Mozilla/5.0 (PlayStation; PlayStation 5/6.50) AppleWebKit/605.1.15 (KHTML, like Gecko)", "PlayStation"],
  ["Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A)", "Android"],
  ["Acme/4.2 (Android 14; build 77)", "Acme on Android"],
  ["Acme/42 CFNetwork/1496.0.7 Darwin/23.5.0", "Acme"],
  ["curl/8.8.0", "curl"],
  ["python-requests/2.32.3", "python-requests"],
  ["PostmanRuntime/7.39.0", "PostmanRuntime"],
  ["Go-http-client/2.0", "Go-http-client"],
  ["okhttp/4.12.0", "okhttp"],
  ["Mozilla/5.0", null],
  ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", null],
  ["node", null],
  ["", null],
];

describe("the device in a User-Agent header", () => {
  for (const [agent, device] of AGENTS) {
    test(`${device}: ${agent.slice(0, 60)}`, () => expect(describeDevice(agent)).toBe(device));
  }

  test("a new version is the same device", () => {
    for (const [agent, device] of AGENTS) {
      const updated = agent.replaceAll(/(\d+)(?=[._]\d)/g, (major) => String(Number(major) + 1));
      expect([agent, describeDevice(updated)]).toEqual([agent, device]);
    }
  });

  test("the sender controls one plain name only: no host, no line break, no markup, no long text", () => {
    const hostile = [
      "www.evil.example/1",
      "evil.example/1.0 (Windows)",
      "https://evil.example/1",
      '<a href="https://evil.example">Firefox</a>/1',
      "<script>/1 Chrome/1 Windows",
      "Call\r\nBcc: eve@evil.example/1",
      "Acme\u0000/1 Android",
      "\u202egnihsihp/1",
      `${"A".repeat(10_000)}/1`,
      `Mozilla/5.0 (${"(".repeat(10_000)}`,
      `${"x ".repeat(5_000)}Firefox/1 Windows`,
      "constructor",
      "__proto__/1",
    ];
    for (const agent of hostile) {
      const device = describeDevice(agent);
      expect([agent.slice(0, 40), device ?? "null"]).toEqual([
        agent.slice(0, 40),
        expect.stringMatching(/^[A-Za-z][\w -]{0,60}$/),
      ]);
      expect(device ?? "").not.toMatch(/evil|Bcc|script/i);
    }
    expect(describeDevice(null)).toBeNull();
  });
});
