/** The one tap that fills a repeat as the register has it, in place of what was entered. */
import type { FieldState, FormSession } from "../forms";

export function canPrefill(field: FieldState, session: FormSession): boolean {
  const { prefill, key, one_tap } = field.parameters ?? {};
  return prefill !== undefined && one_tap === "true" && key !== undefined && session.field(key)?.value !== undefined;
}

export function prefillRepeat(field: FieldState, session: FormSession): void {
  for (let index = (field.instances?.length ?? 0) - 1; index >= 0; index -= 1) session.removeInstance(field.path, index);
  session.prefill(field.path);
}
