import { describe, expect, test } from "bun:test";
import { checkPassword } from "../../src/crypto/password-policy.ts";

const context = ["ada.lovelace@example.com", "Ada Lovelace", "Difference Engine"];
const alone = { minLength: 15, context };
const second = { minLength: 8, context };

describe("accepts strong passwords (ASVS 6.2.1, 6.2.5, 6.2.9)", () => {
  test.each([
    "five tame otters hum at dawn",
    "x7Kq9mPzvW3nTq2",
    "xkqzvwtjmbrlfpd",
    "26373126317236127361",
    "my cat eats blue soap",
    "पासवर्ड बहुत लंबा है",
    "長い合言葉は忘れにくいものですよね",
    "🔥🌊🌲🎈🐙🦊🧊🍋🧭🎻🪁🚲🛶🥝🧵",
    "the engine of lovelace weaves patterns",
    "x7Kq9mPzvW3nTq2".repeat(30),
  ])("%s", async (password) => {
    expect(await checkPassword(password, alone)).toBeNull();
  });

  test.each(["x7Kq9mPz", "kzqvwtjm", "tree-92x"])("beside a second factor: %s", async (password) => {
    expect(await checkPassword(password, second)).toBeNull();
    expect(await checkPassword(password, alone)).toContain("at least 15");
  });
});

describe("weak passwords", () => {
  test.each([
    ["common", "passwordpassword"],
    ["common", "passwordPassword1"],
    ["common", "passwordpasswordpassword"],
    ["common", "Password1234567"],
    ["common", "P@ssw0rd!P@ssw0rd!"],
    ["common", "1234567password"],
    ["common", "5h4d0wdr4g0n2024"],
    ["common", "monkeydragon2024"],
    ["common", "letmeinletmein2024"],
    ["common", "ＰａｓｓｗｏｒｄＰａｓｓｗｏｒｄ"],
    ["common", "1qaz2wsx3edc4rfv"],
    ["pattern", "aaaaaaaaaaaaaaaa"],
    ["pattern", "abababababababab"],
    ["pattern", "abcabcabcabcabcabc"],
    ["pattern", "xqxqxqxqxqxqxqxq"],
    ["pattern", "k7#zk7#zk7#zk7#z"],
    ["pattern", "🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥"],
    ["pattern", "abcdefghijklmnop"],
    ["pattern", "ponmlkjihgfedcba"],
    ["pattern", "qwertyuiopasdfgh"],
    ["pattern", "aaaaabbbbbccccc"],
    ["address", "ada.lovelace@example.com"],
    ["address", "Ada.Lovelace1815"],
    ["address", "adalovelaceadalovelace"],
    ["address", "differenceengine!"],
    ["address", "L0velaceL0velace"],
  ])("little more than a known text is refused (ASVS 6.2.4, 6.2.11): %s: %s", async (word, password) => {
    expect(await checkPassword(password, alone)).toContain(word);
  });

  test.each([
    "correcthorsebatterystaple",
    "correct horse battery staple",
    "Correct-Horse-Battery-Staple",
    "CorrectHorseBatteryStaple1!",
    "c0rrecth0rseb4tteryst4ple",
    "correcthorsebatterystaplecorrecthorsebatterystaple",
    "thequickbrownfoxjumpsoverthelazydog",
    "The quick brown fox jumps over the lazy dog.",
    "maytheforcebewithyou",
    "To be, or not to be: that is the question",
    "youshallnotpass!",
    "neverGonnaGiveYouUp2024",
    "supercalifragilisticexpialidocious",
    "iloveyousomuch123",
    "thisismypassword",
    "onetwothreefourfive",
    "winteriscoming2019",
    "hakunamatata hakunamatata",
    "Ich liebe dich so sehr",
    "esta es mi contraseña",
    "liberté égalité fraternité",
    "1qaz2wsx3edc4rfv5tgb",
    "allyourbasearebelongtous",
    "twinkletwinklelittlestar",
  ])("famous: %s", async (password) => {
    expect(await checkPassword(password, alone)).not.toBeNull();
  });

  test.each(["p a s s w o r d p a s s w o r d", "s-u-n-s-h-i-n-e", "d.r.a.g.o.n.d.r.a.g.o.n"])(
    "a common password between spaces and marks: %s",
    async (password) => {
      expect(await checkPassword(password, alone)).toContain("common");
    },
  );

  test("a famous phrase may be part of a longer one of your own", async () => {
    expect(await checkPassword("winter is coming, said the plumber of Ghent", alone)).toBeNull();
  });

  test.each(["monkey12", "abcd1234", "Passw0rd", "lovelace", "qwertyui", "dragon99"])(
    "beside a second factor: %s",
    async (password) => {
      expect(await checkPassword(password, second)).not.toBeNull();
    },
  );
});

describe("length is counted in code points of the NFKC form (NIST SP 800-63B-4 3.1.1.2)", () => {
  test("a composed and a decomposed form have the same length", async () => {
    const composed = "áéíóúàèìòùâêîô".normalize("NFC");
    expect(await checkPassword(composed.normalize("NFD"), alone)).toContain("It has 14");
    expect(await checkPassword(composed, alone)).toContain("It has 14");
  });

  test("an astral character counts as one", async () => {
    expect(await checkPassword("🔥🌊🌲🎈🐙🦊🧊🍋🧭🎻🪁🚲🛶🥝", alone)).toContain("It has 14");
  });

  test("the maximum is 512", async () => {
    const long = Array.from({ length: 513 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000))).join("");
    expect(await checkPassword(long, alone)).toContain("at most 512");
    expect(await checkPassword(long.slice(1), alone)).toBeNull();
  });

  test("broken and control characters get their own messages", async () => {
    expect(await checkPassword(`\ud800${"x7Kq9mPzvW3nTq2"}`, alone)).toContain("broken");
    expect(await checkPassword(`\u0000${"x7Kq9mPzvW3nTq2"}`, alone)).toContain("control");
  });

  test("an empty context forbids nothing", async () => {
    expect(await checkPassword("x7Kq9mPzvW3nTq2", { minLength: 15, context: ["", "a"] })).toBeNull();
  });
});
