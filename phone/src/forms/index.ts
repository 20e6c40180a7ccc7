/** The form language on the phone: pure, no DOM, no dependencies. */
import { Session } from "./session";
import type { CompiledForm, FormContext, FormSession, OpenOptions } from "./types";

export * from "./types";

/** Opens a form: fresh, with a record's answers (a correction), or from a draft's snapshot. */
export function openForm(form: CompiledForm, context: FormContext, initial?: OpenOptions): FormSession {
  return new Session(form, context, initial);
}
