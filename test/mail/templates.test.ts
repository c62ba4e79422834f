import { describe, expect, test } from "bun:test";
import { inWordsOf, languageFor, languages } from "../../src/mail/languages.ts";
import { namesOf, render } from "../../src/mail/render.ts";
import {
  fromText,
  isTemplateName,
  SAMPLE_VALUES,
  templateProblems,
  toText,
  valuesOf,
} from "../../src/mail/template-text.ts";
import { FACTORS, TEMPLATE_VALUES, type Template } from "../../src/mail/templates/template.ts";

const names = Object.keys(TEMPLATE_VALUES).filter(isTemplateName);
const words = (body: string, subject = "s"): Template => ({ subject, body });

describe.each(Object.entries(languages))("the language %s", (code, language) => {
  test.each(names)("%s has the same values as in English, and passes its own validation", (name) => {
    const template = language.templates[name];
    if (!template) throw new Error(`${code} has no ${name}: add it to src/mail/templates/${code}.ts`);
    const english = languages.en?.templates[name];
    const told = ({ subject, body }: Template) => [...new Set(namesOf(`${subject}\n${body}`))].sort();
    expect({ code, name, values: told(template) }).toEqual({ code, name, values: english ? told(english) : [] });
    expect(templateProblems(name, template)).toEqual([]);
    expect(fromText(toText(template))).toEqual(template);
    const rendered = render(template, inWordsOf(language, SAMPLE_VALUES), code);
    for (const part of Object.values(rendered)) expect(part).not.toMatch(/\{\{|\}\}|undefined/);
  });

  test("has a word for each factor, and exactly the mails of the other languages", () => {
    expect(Object.keys(language.factors).sort()).toEqual([...FACTORS].sort());
    expect(Object.keys(language.templates).sort()).toEqual([...names].sort());
    expect(language.name).not.toBe("");
  });
});

test("the language is the reader's first known choice, else the tenant's, else English", () => {
  expect(languageFor("de-CH,de;q=0.9,en;q=0.8", "en")).toBe("de");
  expect(languageFor("fr,en;q=0.5,de;q=0.8", "en")).toBe("de");
  expect(languageFor("de;q=0,en", "de")).toBe("en");
  for (const wish of [null, "", "fr", "*", "constructor", "x".repeat(10_000)])
    expect(languageFor(wish, "de")).toBe("de");
  expect(languageFor(null, "toString")).toBe("en");
});

test("values are translated into the language", () => {
  const { de } = languages;
  if (!de) throw new Error("no German");
  expect(inWordsOf(de, { factor: "totp", device: "Firefox on Windows", address: "x" })).toEqual({
    factor: "Authenticator-App",
    device: "Firefox unter Windows",
    address: "x",
  });
  expect(inWordsOf(de, { factor: "toString", device: "" })).toEqual({ factor: "toString", device: "" });
});

describe("a value stays a value (CWE-93, CWE-79)", () => {
  const evil = `<img src=x onerror=alert(1)>"'&</style><script>`;

  test("never becomes markup in HTML: in words, buttons, codes, the brand or the title", () => {
    const body = `{{tenant}}\n\n[Go {{tenant}}]({{link}})\n\n{{code}}`;
    const { html } = render(
      words(body, "{{tenant}}"),
      { application: evil, tenant: evil, link: evil, code: evil },
      "en",
    );
    expect(html).not.toMatch(/<img|<script|onerror=alert\(1\)>"|<\/style><script/);
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html.match(/&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;/g)?.length).toBeGreaterThanOrEqual(6);
  });

  test("loses line breaks and reversing characters: no header, no paragraph, no reversed name", () => {
    const tenant = "Acme\r\nBcc: evil@example.org\r\n\r\nSign in at evil.example\u2028\u0000\u202egpj";
    const { subject, text } = render(words("Hello {{tenant}}.", "From {{tenant}}"), { tenant }, "en");
    const flat = "Acme Bcc: evil@example.org Sign in at evil.example gpj";
    expect([subject, text]).toEqual([`From ${flat}`, `Hello ${flat}.\n`]);
  });

  test("is neither a source of further values nor a pattern", () => {
    const { text } = render(words("{{tenant}} {{code}}"), { tenant: "{{code}} $& $1", code: "1" }, "en");
    expect(text).toBe("{{code}} $& $1 1\n");
  });

  test("inherited names are not values", () => {
    expect(render(words("[{{toString}}] x {{constructor}}"), {}, "en").text).toBe("\n");
  });

  test("only links become buttons: a name that reads like an address links nowhere", () => {
    const { html } = render(words("[Go]({{tenant}})"), { tenant: "javascript:alert(1)" }, "en");
    expect(html).not.toContain("<a ");
  });
});

test("a line with an empty value is omitted, and so is a paragraph of such lines", () => {
  const body = "Device: {{device}}\nTime: {{time}}\n\n[Go]({{home}})\n\nBye";
  expect(render(words(body), { device: "", time: "now", home: "" }, "en").text).toBe("Time: now\n\nBye\n");
});

test("the HTML loads nothing, follows the dark theme and names its language", () => {
  for (const name of names) {
    const template = languages.de?.templates[name] ?? words("");
    const { html } = render(template, SAMPLE_VALUES, "de");
    expect(html).toContain('<html lang="de"');
    expect(html).toContain("prefers-color-scheme: dark");
    expect(html).not.toMatch(/<img|<link|<script|@import|url\(|src=/);
  }
});

describe("a tenant's own template", () => {
  const refusals: [name: "reset_password" | "new_device" | "test", template: Template, says: RegExp][] = [
    [
      "reset_password",
      words("{{link}} {{token}}"),
      /\{\{token\}\}: unknown value in reset_password.*\{\{link\}\}, \{\{code\}\}/,
    ],
    ["reset_password", words("{{link}}", "{{password}}"), /\{\{password\}\}: unknown value/],
    ["reset_password", words("Hello"), /must contain \{\{link\}\} or \{\{code\}\}/],
    ["reset_password", words("{{ link }}\n\n{{code}}"), /stands alone/],
    ["reset_password", words("{{link}} }}"), /stands alone/],
    ["reset_password", words("{{link}}\n\n[Go]({{tenant}})"), /A button can link to/],
    ["new_device", words("", "x"), /body must have/],
    ["new_device", words("x", ""), /subject must have/],
    ["new_device", words("x".repeat(20_001)), /body must have/],
    ["new_device", words("x", "a\rb"), /control characters/],
    ["test", words("{{application}}"), /\{\{application\}\}: unknown value in test/],
  ];
  test.each(refusals)("%s: refuses %j, and names what is valid", (name, template, says) => {
    expect(templateProblems(name, template).join(" ")).toMatch(says);
  });

  test("is text with a subject, also with the line ends and the byte order mark of Windows", () => {
    expect(fromText("\ufeffSubject:  Hi \r\n\r\nOne\r\n\r\nTwo\r\n")).toEqual({ subject: "Hi", body: "One\n\nTwo" });
    expect(fromText("Hello\n\nSubject: no")).toBeNull();
  });

  test("may name every value", () => {
    for (const name of names)
      expect(
        templateProblems(
          name,
          words(
            valuesOf(name)
              .map((v) => `{{${v}}}`)
              .join(" "),
          ),
        ),
      ).toEqual([]);
  });
});
