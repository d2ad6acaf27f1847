// Opens pages in Chromium, as wide as a telephone and as a screen: nothing may go wrong, every image has
// an alternative and every control a name, nothing stands beyond the edge, something is drawn, and what moves
// can be paused without a mouse.
//
//   node check-pages.mjs FOLDER PAGE...     screenshots go into FOLDER
//
// Needs puppeteer-core and @sparticuz/chromium beside it (scripts/check browser puts them there).
import path from "node:path";

import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const [folder, ...files] = process.argv.slice(2);
const widths = [375, 1280];
const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));

// What is wrong with the page as it stands.
function look() {
  const text = element => element.outerHTML.slice(0, 80);
  const all = [...document.body.querySelectorAll("*")];
  const beyond = all.filter(e => !e.closest(".wide, pre") && e.getBoundingClientRect().right > innerWidth + 1);
  const images = [...document.images, ...document.querySelectorAll("canvas")];
  const silent = images.filter(e => !(e.alt || e.getAttribute("aria-label")));
  const broken = [...document.images].filter(image => !image.naturalWidth);
  const controls = [...document.querySelectorAll("button, input, select, a")];
  const unnamed = controls.filter(
    e => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length),
  );
  const isBlank = canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.every((value, i) => value === data[i % 4]);
  };
  const blank = [...document.querySelectorAll("canvas")].filter(isBlank);
  return [
    ...(document.title && document.documentElement.lang ? [] : ["no title or no language"]),
    ...beyond.map(e => `beyond the edge: ${text(e)}`),
    ...silent.map(e => `no alternative: ${text(e)}`),
    ...broken.map(e => `not loaded: ${text(e)}`),
    ...unnamed.map(e => `no name: ${text(e)}`),
    ...blank.map(e => `nothing is drawn: ${text(e)}`),
  ];
}

async function pauses(page) {
  const time = () => page.$eval("#time", element => element.textContent);
  const later = async () => {
    const before = await time();
    await wait(500);
    return (await time()) !== before;
  };
  if (!(await later())) return ["does not move"];
  for (let tab = 0; (await page.evaluate(() => document.activeElement?.id)) !== "pause"; tab++) {
    if (tab > 20) return ["the keyboard does not reach the pause button"];
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Space");
  if (await later()) return ["moves on when it is paused"];
  await page.keyboard.press("Space");
  return (await later()) ? [] : ["does not go on"];
}

const browser = await puppeteer.launch({
  args: chromium.args,
  executablePath: await chromium.executablePath(),
  headless: "shell",
});
let failed = false;
for (const file of files) {
  for (const width of widths) {
    const page = await browser.newPage();
    const faults = [];
    page.on("console", message => {
      if (["error", "warn"].includes(message.type())) faults.push(`console: ${message.text()}`);
    });
    page.on("pageerror", error => faults.push(`error: ${error.message}`));
    page.on("requestfailed", request => faults.push(`not found: ${request.url()}`));
    await page.setViewport({ width, height: 900 });
    await page.goto(`file://${path.resolve(file)}`, { waitUntil: "load" });
    faults.push(...(await page.evaluate(look)));
    if (await page.$("#pause")) faults.push(...(await pauses(page)));
    const name = `${path.basename(path.dirname(path.resolve(file)))}-${path.parse(file).name}-${width}.png`;
    await page.screenshot({ path: path.join(folder, name), fullPage: true });
    console.log(`${file}, ${width} pixels: ${faults.length ? faults.join("; ") : "fine"}`);
    failed ||= faults.length > 0;
    await page.close();
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
