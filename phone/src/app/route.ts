/** The screen is named by the address after `#`, so that back, reload and bookmarks work. */
import { signal } from "@preact/signals";

export interface Route {
  screen: string;
  id: string;
  more: string;
}

export function parse(hash: string): Route {
  const [screen = "", id = "", more = ""] = hash
    .replace(/^#\/?/, "")
    .split("/")
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
  return { screen, id, more };
}

export const route = signal<Route>(parse(location.hash));
addEventListener("hashchange", () => {
  route.value = parse(location.hash);
  scrollTo(0, 0);
});

export const address = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join("/")}`;
export const go = (...parts: string[]): void => {
  location.hash = address(...parts);
};
/** Goes there without leaving the present screen in the history. */
export function goInstead(...parts: string[]): void {
  history.replaceState(null, "", address(...parts));
  route.value = parse(location.hash);
  scrollTo(0, 0);
}
