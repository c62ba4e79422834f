import { createHash, randomUUID } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { capture } from "./commands.ts";

const HERE = import.meta.dir;
/** Keeps packages and builds between runs, outside the repository. */
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sallyport-interop");

/** The program of a library. */
export interface Program {
  language: string;
  library: string;
  /** Executables that must be on the PATH. */
  needs: readonly string[];
  /** Further requirements, each with a command that succeeds if it is met. */
  wants?: Readonly<Record<string, readonly string[]>>;
  /** Whether it uses the libraries of the machine, which are not pinned here. */
  ofSystem?: boolean;
  /** Installs the pinned packages and builds, unless that is done. @returns the command line of the program */
  prepare(): Promise<string[]>;
}

export const programs: readonly Program[] = [
  { language: "Python", library: "python-jose", needs: ["python3"], prepare: () => python("verify_with_jose") },
  { language: "Python", library: "PyJWT", needs: ["python3"], prepare: () => python("verify_with_pyjwt") },
  { language: "Go", library: "golang-jwt + keyfunc", needs: ["go"], prepare: go },
  { language: "Java", library: "java-jwt + jwks-rsa", needs: ["mvn", "javac", "java"], prepare: java },
  {
    language: "Ruby",
    library: "ruby-jwt",
    needs: ["ruby"],
    wants: { "ruby-jwt": ["ruby", "-rjwt", "-e", ""] },
    ofSystem: true,
    prepare: async () => ["ruby", join(HERE, "ruby/check.rb")],
  },
  {
    language: "PHP",
    library: "openssl + sodium",
    needs: ["php"],
    wants: {
      "PHP's openssl and sodium": [
        "php",
        "-r",
        "exit(extension_loaded('openssl') && extension_loaded('sodium') ? 0 : 1);",
      ],
    },
    ofSystem: true,
    prepare: async () => ["php", join(HERE, "php/check.php")],
  },
  {
    language: "Rust",
    library: "jsonwebtoken in axum",
    needs: ["cargo", "rustc", "cc"],
    wants: { "Rust 1.85": ["rustc", "--edition=2024", "--print=sysroot"] },
    prepare: rust,
  },
];

/** @returns the requirements of the program that this machine lacks */
export function missingFor(program: Program): string[] {
  const executables = program.needs.filter((executable) => Bun.which(executable) === null);
  if (executables.length > 0) return executables;
  const wants = Object.entries(program.wants ?? {});
  return wants.filter(([, probe]) => Bun.spawnSync([...probe]).exitCode !== 0).map(([name]) => name);
}

let environment: Promise<string> | undefined;

async function python(verifier: string): Promise<string[]> {
  const folder = join(HERE, "python");
  const requirements = join(folder, "requirements.txt");
  // Both programs share it, and request it at the same time.
  environment ??= kept("python", [requirements], async (target) => {
    await capture(["python3", "-m", "venv", target]);
    const pip = [join(target, "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet"];
    await capture([...pip, "install", "--requirement", requirements]);
  });
  return [join(await environment, "bin/python"), "-B", join(folder, "check.py"), verifier];
}

async function go(): Promise<string[]> {
  const folder = join(HERE, "go");
  const built = await kept("go", filesIn(folder, "*"), (target) =>
    capture(["go", "build", "-mod=readonly", "-o", join(target, "check"), "."], folder),
  );
  return [join(built, "check")];
}

async function java(): Promise<string[]> {
  const folder = join(HERE, "java");
  const pom = join(folder, "pom.xml");
  const sources = filesIn(folder, "src/**/*.java");
  const packages = await kept("java-packages", [pom], (target) => {
    const repository = `-Dmaven.repo.local=${join(CACHE, "maven")}`;
    const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${target}`];
    return capture(["mvn", "--quiet", "--batch-mode", "--file", pom, repository, ...goal]);
  });
  const classes = await kept("java-classes", [pom, ...sources], (target) =>
    capture(["javac", "--release", "17", "-cp", join(packages, "*"), "-d", target, ...sources]),
  );
  return ["java", "-cp", `${classes}:${join(packages, "*")}`, "com.example.Check"];
}

async function rust(): Promise<string[]> {
  const folder = join(HERE, "rust");
  const sources = [...filesIn(folder, "Cargo.*"), ...filesIn(folder, "src/*.rs")];
  const built = await kept("rust", sources, async (target) => {
    const packages = join(CACHE, "rust-packages");
    // Builds from a copy, because the lock file of cargo names a registry, which each machine chooses.
    const copy = join(CACHE, "rust-source");
    cpSync(folder, copy, { recursive: true });
    await capture(["cargo", "build", "--quiet", "--target-dir", packages], copy);
    copyFileSync(join(packages, "debug/sallyport-client"), join(target, "check"));
  });
  return [join(built, "check")];
}

function filesIn(folder: string, pattern: string): string[] {
  return [...new Glob(pattern).scanSync({ cwd: folder, absolute: true })].sort();
}

/** Creates a folder once for each state of its sources. If two runs create it at the same time, the first folder stays. */
async function kept(name: string, sources: string[], make: (target: string) => Promise<unknown>): Promise<string> {
  const hash = createHash("sha256");
  for (const file of sources) hash.update(file.slice(HERE.length)).update("\0").update(readFileSync(file)).update("\0");
  const folder = join(CACHE, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const draft = join(CACHE, `${name}-draft-${randomUUID()}`);
  mkdirSync(draft);
  try {
    await make(draft);
    if (!existsSync(folder)) renameSync(draft, folder);
    return folder;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
