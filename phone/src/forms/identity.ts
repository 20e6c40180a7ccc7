/** Chinese resident numbers (GB 11643-1999) and telephone numbers; the twin of schemas/expressions/identity.py. */
import { parseDate } from "./dates";

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS = "10X98765432";
const RESIDENT_ID = /^[1-9][0-9]{16}[0-9X]$/;
const MOBILE = /^1[3-9][0-9]{9}$/;
const LANDLINE = /^(?:0[0-9]{2,3}-?)?[2-8][0-9]{6,7}$/;

/** Full-width forms of the printable ASCII characters, and the ideographic space. */
function narrow(text: string): string {
  return text.replace(/[\uff01-\uff5e\u3000]/g, (wide) =>
    wide === "\u3000" ? " " : String.fromCharCode(wide.charCodeAt(0) - 0xfee0),
  );
}

export function normalizeResidentId(text: string): string {
  return narrow(text).replace(/[ \t\r\n]/g, "").replace(/x/g, "X");
}

/** The date of birth in a valid resident number; "" when the number is not valid. */
export function birthDate(text: string): string {
  const number = normalizeResidentId(text);
  if (!RESIDENT_ID.test(number)) return "";
  const total = WEIGHTS.reduce((sum, weight, at) => sum + weight * Number(number[at]), 0);
  const date = `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
  const valid = CHECK_CHARACTERS[total % 11] === number[17] && /^(?:18|19|20)/.test(date);
  return valid && parseDate(date) !== undefined ? date : "";
}

export function sex(text: string): string {
  if (!birthDate(text)) return "";
  return Number(normalizeResidentId(text)[16]) % 2 ? "male" : "female";
}

/** Plain digits, country code and separators dropped; the hyphen after an area code stays. */
export function normalizePhone(text: string): string {
  const number = narrow(text).replace(/[ \t\r\n().]/g, "").replace(/[—–]/g, "-");
  const bare = number.replace(/-/g, "");
  for (const prefix of ["+86", "0086", "86", ""]) {
    if (bare.startsWith(prefix) && MOBILE.test(bare.slice(prefix.length))) return bare.slice(prefix.length);
  }
  for (const prefix of ["+86", "0086"]) {
    if (number.startsWith(prefix)) {
      const rest = number.slice(prefix.length).replace(/^-/, "");
      return rest.startsWith("0") ? rest : `0${rest}`;
    }
  }
  return number;
}

export const isMobile = (text: string): boolean => MOBILE.test(normalizePhone(text));
export const isLandline = (text: string): boolean => LANDLINE.test(normalizePhone(text));
