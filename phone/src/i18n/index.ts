import { lang } from "../app/state";
import type { Text } from "../forms";
import { en } from "./en";
import { zh, type Key } from "./zh";

const catalogues = { zh, en };

/** The words for `key` in the chosen language, with `{name}` filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return catalogues[lang.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export const say = (text: Partial<Text> | undefined): string => text?.[lang.value] ?? text?.zh ?? text?.en ?? "";

/** For keys made of a prefix and a code that data may bring; the code itself when there are no words for it. */
export function word(prefix: string, code: string): string {
  const key = `${prefix}_${code}`;
  return key in zh ? t(key as Key) : code;
}
