import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApp, openTestApp, testPassword } from './app.ts'
import { openBrowser, watchPage } from './browser.ts'
import { tinyStory } from './tiny-story.ts'

let app: TestApp
let browser: Browser
beforeAll(async () => {
  // One after the other: while the browser is unpacked the temporary folder is its own.
  browser = await openBrowser()
  app = await openTestApp()
})
afterAll(async () => {
  await browser?.close()
  await app?.close()
})

const picture = async (page: Page, name: string) => {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` })
}

async function signIn(page: Page): Promise<void> {
  await page.goto(app.url)
  await page.getByLabel('Email').fill('owner@example.com')
  await page.getByLabel('Password').fill(testPassword)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Projects' }).waitFor()
}

test('from a dropped manuscript to a playing chapter and a download', async () => {
  const page = await browser.newPage()
  const { foreign, errors } = watchPage(page, app.url)
  await signIn(page)
  await picture(page, 'empty')

  await page
    .locator('.drop input')
    .setInputFiles({ name: 'the-lamp.txt', mimeType: 'text/plain', buffer: Buffer.from(tinyStory) })
  await page.getByRole('heading', { name: 'The Lamp' }).waitFor()
  await page.getByRole('button', { name: 'Narrate' }).click()
  await page
    .getByText(/Narrating|Packing|Waiting/)
    .first()
    .waitFor()
  const download = page.getByRole('link', { name: 'Download M4B audiobook' })
  await download.waitFor()

  await page.getByRole('button', { name: /^Play .*Chapter 2/ }).click()
  await page.waitForFunction(() => {
    const audio = document.querySelector('audio')
    return audio !== null && audio.readyState >= 1 && audio.duration > 5
  })
  await page.evaluate(() => {
    const audio = document.querySelector('audio') as HTMLAudioElement
    audio.currentTime = 2
  })
  await page.getByText('In the morning the sea was flat and grey').waitFor()
  await picture(page, 'project')

  const [file] = await Promise.all([page.waitForEvent('download'), download.click()])
  expect(file.suggestedFilename()).toBe('the-lamp.m4b')
  expect(foreign).toEqual([])
  // Whoever comes in for the first time is not signed in.
  expect(errors.filter((error) => !error.includes('401'))).toEqual([])
  await page.close()
})

test('what is refused is said in the words of the server', async () => {
  const page = await browser.newPage()
  await signIn(page)
  await page.locator('.drop input').setInputFiles({
    name: 'broken.epub',
    mimeType: 'application/epub+zip',
    buffer: Buffer.from('PK\u0003\u0004 no zip at all'),
  })
  await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor()
  await page.getByText('Drop the manuscript here').waitFor()
  await picture(page, 'refused')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('Email').fill('owner@example.com')
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect.poll(() => page.getByRole('alert').textContent()).toBe('The address or the password is wrong.')
  await page.close()
})

test('works with the keyboard alone, on a phone, in the dark', async () => {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true })
  const { errors } = watchPage(page, app.url)
  await page.goto(app.url)
  await page.getByLabel('Email').waitFor()
  await page.keyboard.type('owner@example.com')
  await page.keyboard.press('Tab')
  await page.keyboard.type(testPassword)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Projects' }).waitFor()
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1')
  await page.keyboard.press('Tab')
  await page.keyboard.type('lamp')
  await page.getByRole('link', { name: /The Lamp/ }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'The Lamp' }).waitFor()
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
  await picture(page, 'phone')
  expect(errors.filter((error) => !error.includes('401'))).toEqual([])
  await page.close()
})
