/** The form language on the phone: pure, no DOM, no dependencies. */
export * from "./types";
