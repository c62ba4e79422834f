import type { ActIn } from "../audit/act.ts";
import type { Application } from "./application.ts";

/** One act in an application, as the gate makes it. */
export type Act = ActIn<Application>;
