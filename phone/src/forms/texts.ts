/** Texts of a form in a language, with the answers they mention. */
import { evaluate } from "./evaluate";
import { TooMuch } from "./functions";
import type { Instance } from "./instance";
import type { Recalculation } from "./recalculation";
import type { Lang, Text, TextAst } from "./types";
import { toText } from "./values";

export function textIn(work: Recalculation, text: TextAst, instance: Instance, lang: Lang): string {
  const ast = text[lang];
  if (typeof ast === "string") return ast;
  try {
    return toText(evaluate(ast, work.environment(instance, lang)));
  } catch (error) {
    if (error instanceof TooMuch) return "…";
    throw error;
  }
}

export function bothTexts(work: Recalculation, text: TextAst, instance: Instance): Text {
  return { zh: textIn(work, text, instance, "zh"), en: textIn(work, text, instance, "en") };
}

/** A built-in message with its placeholders filled. */
export function filled(message: Text, label: Text, more: Record<string, string> = {}): Text {
  const fill = (lang: Lang): string =>
    message[lang].replace(/\{([a-z]+)\}/g, (whole, key: string) => (key === "label" ? label[lang] : (more[key] ?? whole)));
  return { zh: fill("zh"), en: fill("en") };
}
