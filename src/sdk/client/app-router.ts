import type { Api } from "./api.gen.ts";

/**
 * The API as the type parameter of tRPC's own clients (`createTRPCClient<AppRouter>`, the React integrations), for
 * applications that use them already. The type is structural, so this package's types need no tRPC installed. Parts that
 * only a server has are `never`.
 */
export interface AppRouter {
  _def: {
    _config: {
      $types: { ctx: object; meta: object; errorShape: ErrorShape; transformer: false };
      transformer: never;
      errorFormatter: never;
      allowOutsideOfServer: never;
      isServer: never;
      isDev: never;
      pathSeparator: never;
    };
    router: true;
    procedures: Procedures<Api>;
    record: Procedures<Api>;
    lazy: never;
  };
  createCaller: never;
}

/** An error as it crosses tRPC's wire: `data.error` is the REST envelope's. */
export interface ErrorShape {
  message: string;
  code: number;
  data: {
    code: string;
    httpStatus: number;
    path?: string;
    error: { code: string; message: string; type: string; request_id: string; details: unknown };
  };
}

type Procedures<T> = {
  [K in keyof T]: T[K] extends { kind: infer Kind; input: infer Input; output: infer Output }
    ? {
        (opts: unknown): Promise<Output>;
        _def: {
          // biome-ignore lint/suspicious/noConfusingVoidType: only void lets tRPC's client be called without an argument.
          $types: { input: undefined extends Input ? Input | void : Input; output: Output; errorShape: ErrorShape };
          procedure: true;
          type: Kind;
          meta: unknown;
          experimental_caller: false;
          inputs: never;
        };
        meta: unknown;
      }
    : Procedures<T[K]>;
};
