// The tour in headless Chromium: node tour_test.js PAGE SCREENSHOT-DIR CHROMIUM, with playwright-core in NODE_PATH.
"use strict";
const { chromium } = require("playwright-core");
const path = require("path");

(async () => {
  const [page_, shots, executablePath] = process.argv.slice(2);
  const errors = [];
  const check = (what, ok) => { if (!ok) errors.push(what); };
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true });
  const page = await context.newPage();
  page.on("console", m => { if (["error", "warning"].includes(m.type())) errors.push(`console: ${m.text()}`); });
  page.on("pageerror", e => errors.push(`exception: ${e.message}`));
  page.on("request", r => { if (!r.url().startsWith("file:") && !r.url().startsWith("data:")) errors.push(`asks for ${r.url()}`); });
  await page.goto("file://" + path.resolve(page_));

  const steps = await page.evaluate(() => D.steps.map(s => ({ symbol: s.symbol, state: s.state, go: s.go, en: s.texts.en, zh: s.texts.zh })));
  check(`only ${steps.length} steps`, steps.length > 40);
  let drawn = 0;
  const seen = async i => {
    const s = steps[i];
    check(`step ${i} is not shown by its number`, (await page.textContent("#head")) === `${i}. ${s.symbol}#`);
    check(`step ${i} has no link of its own`, new URL(page.url()).hash === `#step-${i}`);
    check(`step ${i}, ${s.symbol}: no explanation`, s.go && ["why", "needs", "gives", "breaks"].every(k => s.en[k] && s.zh[k]));
    check(`step ${i}: no line is marked in its source`, (await page.locator("#src .here").count()) === 1);
    // What is drawn is what gdb read.
    for (const [key, value] of await page.$$eval("#pic [data-k], #draw [data-k]", es => es.map(e => [e.dataset.k, e.dataset.v]))) {
      const at = key.indexOf("."), want = s.state[key.slice(0, at)][key.slice(at + 1)];
      drawn++;
      check(`step ${i}: ${key} is drawn as ${value}, gdb says ${want}`, want !== undefined && (value === want || (want + "").startsWith(value) || value.startsWith(want)));
    }
  };
  // By keyboard, forth and back.
  await seen(0);
  await page.screenshot({ path: path.join(shots, "first.png"), fullPage: true });
  for (let i = 1; i < steps.length; i++) {
    await page.keyboard.press(i % 2 ? "ArrowRight" : "j");
    await seen(i);
    if (i === Math.floor(steps.length / 2)) await page.screenshot({ path: path.join(shots, "middle.png"), fullPage: true });
  }
  await page.screenshot({ path: path.join(shots, "last.png"), fullPage: true });
  await page.keyboard.press("ArrowRight");
  await seen(steps.length - 1);
  await page.keyboard.press("Home");
  await seen(0);
  await page.keyboard.press("End");
  await page.keyboard.press("k");
  await seen(steps.length - 2);
  await page.click("#prev");
  await seen(steps.length - 3);
  await page.click("#time rect >> nth=5");
  await seen(5);
  await page.goto("file://" + path.resolve(page_) + "#step-7");
  await page.reload();
  await seen(7);
  check("too little is drawn", drawn > 1000);
  check("the sources are in one colour", (await page.locator("#src .hljs-comment, #src .hljs-keyword").count()) > 0);
  check("the picture has no arrows", (await page.locator("#pic .arrow").count()) >= 4);
  check("nothing is marked as changed", (await page.evaluate(() => { show(5); return document.querySelectorAll("#draw .ch").length })) > 3);

  // Steps that can be spoiled show what comes of it.
  const spoiled = await page.evaluate(() => Object.keys(D.lessons));
  check(`only ${spoiled.length} lessons`, spoiled.length >= 10);
  for (const name of spoiled) {
    await page.evaluate(k => show(D.steps.findIndex(s => s.symbol === k)), name);
    check(`${name}: its failure is not shown`, await page.isVisible("#broken") && (await page.textContent("#out")).includes("ended: "));
  }
  await page.evaluate(() => show(0));
  check("a failure is shown where there is none", !(await page.isVisible("#broken")));
  await page.evaluate(() => show(5));

  // The other language, and the other light.
  await page.click("#lang");
  check("the explanation is not Chinese", /[\u4e00-\u9fff]{6}/.test(await page.textContent("#lead")));
  check("no Chinese", /[\u4e00-\u9fff]{10}/.test(await page.textContent("#why")));
  await page.screenshot({ path: path.join(shots, "chinese.png"), fullPage: true });
  await page.click("#lang");
  const bg = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await bg();
  await page.click("#theme");
  check("light and dark are the same", before !== await bg());
  await page.screenshot({ path: path.join(shots, "dark.png"), fullPage: true });

  // The schedule.
  await page.click("#c2");
  const moments = await page.evaluate(() => moments.length);
  check(`only ${moments} moments of the schedule`, moments > 50);
  await page.keyboard.press("Home");
  for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowRight");
  check("the keyboard does not move the schedule", (await page.evaluate(() => at)) === 40);
  const running = await page.$$eval("#play [data-state=run]", es => es.length);
  check("the schedule has one P only", await page.evaluate(() => new Set(S.slices.map(s => s[0])).size) > 1);
  check("goroutines go by no name", (await page.textContent("#legend")).includes("worker"));
  check("no event is told in words", /g\d+/.test(await page.textContent("#now")));
  check("nobody runs in the schedule", await page.evaluate(() => moments.some(m => Object.values(m[4]).some(s => s[0] === "run"))));
  check("more run than there are Ps", running <= (await page.evaluate(() => S.ps)));
  await page.keyboard.press(" ");
  await page.waitForTimeout(900);
  check("it does not play", (await page.evaluate(() => at)) > 40);
  await page.keyboard.press(" ");
  await page.screenshot({ path: path.join(shots, "schedule.png"), fullPage: true });
  await page.click("#c1");

  // A phone: nothing is wider than the screen.
  await page.setViewportSize({ width: 390, height: 800 });
  for (const i of [0, 5, steps.length - 1]) {
    await page.evaluate(k => show(k), i);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(`on a phone step ${i} is ${wide} pixels wide`, wide <= 390);
  }
  await page.evaluate(() => show(5));
  await page.screenshot({ path: path.join(shots, "phone.png"), fullPage: true });
  await browser.close();
  console.log(errors.slice(0, 40).join("\n") || `${steps.length} steps, ${drawn} drawn values, ${moments} moments of the schedule`);
  process.exit(errors.length ? 1 : 0);
})().catch(e => { console.error(e); process.exit(1) });
