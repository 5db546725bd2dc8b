// Numbers and times as the language writes them, in the journal's time zone.

const root = document.documentElement;
export const lang = root.lang;
const locale = lang === "fr" ? "fr-FR" : "en-CA";
const timeZone = root.dataset.timezone;

const DASH = "–";
const made = new Map();

function numbers(least, most, sign = "auto") {
  const key = `${least} ${most} ${sign}`;
  if (!made.has(key)) {
    const options = { minimumFractionDigits: least, maximumFractionDigits: most, signDisplay: sign };
    made.set(key, new Intl.NumberFormat(locale, options));
  }
  return made.get(key);
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const written = (value, format) => (isNumber(value) ? format.format(value) : DASH);

export const whole = (value) => written(value, numbers(0, 0));
export const money = (value) => written(value, numbers(2, 2));
export const gain = (value) => written(value, numbers(2, 2, "exceptZero"));
export const ratio = (value) => written(value, numbers(2, 2));
export const percent = (value) => (isNumber(value) ? `${numbers(1, 1).format(value)} %` : DASH);
export const multiple = (value) => (isNumber(value) ? `${numbers(2, 2, "exceptZero").format(value)} R` : DASH);
export const size = (value) => (isNumber(value) ? `${numbers(2, 2).format(value)} R` : DASH);
/** A price or a quantity, as precise as it was sent. */
export const level = (value) => (isNumber(value) ? numbers(0, 8).format(value) : DASH);

const dates = {
  time: new Intl.DateTimeFormat(locale, { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  day: new Intl.DateTimeFormat(locale, { timeZone, day: "numeric", month: "short" }),
  full: new Intl.DateTimeFormat(locale, { timeZone, dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }),
  short: new Intl.DateTimeFormat(locale, { timeZone, year: "2-digit", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  zone: new Intl.DateTimeFormat(locale, { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short" }),
  utc: new Intl.DateTimeFormat(locale, { timeZone: "UTC", dateStyle: "medium" }),
  month: new Intl.DateTimeFormat(locale, { timeZone: "UTC", month: "short" }),
  weekday: new Intl.DateTimeFormat(locale, { timeZone: "UTC", weekday: "short" }),
  iso: new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }),
};

const moment = (value) => {
  const found = value instanceof Date ? value : new Date(value);
  return value && !Number.isNaN(found.getTime()) ? found : null;
};
const dated = (value, format) => { const found = moment(value); return found ? format.format(found) : DASH; };

export const full = (value) => dated(value, dates.full);
export const short = (value) => dated(value, dates.short);
export const clock = (value) => dated(value, dates.zone);
export const utcDay = (value) => dated(value, dates.utc);
export const utcMonth = (value) => dated(value, dates.month);
export const utcWeekday = (value) => dated(value, dates.weekday);

/** Today's moments by their time, older ones with their day. */
export function when(value, now) {
  const found = moment(value);
  if (!found) return DASH;
  const same = dates.iso.format(found) === dates.iso.format(now);
  return same ? dates.time.format(found) : `${dates.day.format(found)} ${dates.time.format(found)}`;
}

/** Seconds as people say them: `8 s`, `4 min`, `3 h 05`, `2 d`. */
export function span(seconds) {
  if (!isNumber(seconds)) return DASH;
  const total = Math.max(0, Math.floor(seconds));
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min`;
  if (total < 86400) return `${Math.floor(total / 3600)} h ${String(Math.floor((total % 3600) / 60)).padStart(2, "0")}`;
  return `${Math.floor(total / 86400)} ${lang === "fr" ? "j" : "d"} ${Math.floor((total % 86400) / 3600)} h`;
}

export const sign = (value) => (value > 0 ? "good" : value < 0 ? "bad" : "");
export const plainZone = timeZone;
export const plainLocale = locale;
