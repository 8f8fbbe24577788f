export * from "./chat";
export * from "./common";
export * from "./docs";
export * from "./keys";
export * from "./landing";
export * from "./session";
export * from "./shell";
export * from "./usage";
