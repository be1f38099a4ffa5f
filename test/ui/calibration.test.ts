import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { smallData, smallLabels, smallNet } from '../host/smallNet';
import { npyFile } from '../support/npyFile';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

/** From the right click to a report of a model that was fitted to data, by keyboard from there on. */
describe('calibration data in a VS Code window', () => {
  let folder: string;
  let workbench: Workbench;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-ui-'));
    writeFileSync(path.join(folder, 'net.onnx'), smallNet());
    writeFileSync(path.join(folder, 'calib.npy'), smallData());
    writeFileSync(path.join(folder, 'labels.npy'), smallLabels());
    writeFileSync(path.join(folder, 'zeros-few.npy'), npyFile('|u1', [3], [0, 0, 0]));
    workbench = await openWorkbench({ folder });
  });
  after(async () => {
    await workbench?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is chosen from the goals, looked at, and brings goals of output error', () =>
    workbench.attempt('choose-data', async () => {
      const { page, openContainer, contextMenu, screenshot } = workbench;
      await openContainer('Explorer');
      await contextMenu('net.onnx', 'Compress Model…');
      const picker = page.locator('.quick-input-widget');
      const entry = (text: string | RegExp) => picker.getByRole('option', { name: text });
      await entry('Half the parameters').waitFor();
      await entry(/Calibration Data….*none: random data/).waitFor();
      assert.equal(await entry(/output error/).count(), 0);
      await screenshot('calibration-goals');
      await picker.getByRole('textbox').fill('Calibration');
      await entry(/Calibration Data/).waitFor();
      await page.keyboard.press('Enter');
      await entry(/calib\.npy.*48 samples/).waitFor();
      await screenshot('calibration-choose');
      await page.keyboard.press('Enter');
      await entry(/Use This Data.*48 samples, 6 of them held back/).waitFor();
      await entry(/x.*1 × 8 × 8 float, stored as uint8.*mean/).waitFor();
      await screenshot('calibration-preview');
    }));

  it('is normalised by hand, with a word on what can’t be read', () =>
    workbench.attempt('normalise-data', async () => {
      const { page, screenshot } = workbench;
      const picker = page.locator('.quick-input-widget');
      const entry = (text: string | RegExp) => picker.getByRole('option', { name: text });
      await picker.getByRole('textbox').fill('Mean and standard');
      await entry(/Mean and standard deviation.*none/).waitFor();
      await page.keyboard.press('Enter');
      await entry('By Hand…').waitFor();
      await screenshot('calibration-normalisation');
      await picker.getByRole('textbox').fill('By Hand');
      await page.keyboard.press('Enter');
      await picker.getByText('Mean (1 of 2)').waitFor();
      await picker.getByRole('textbox').fill('half');
      await picker.getByText('Numbers are needed, with commas between them.').waitFor();
      await screenshot('calibration-by-hand');
      await picker.getByRole('textbox').fill('0.4');
      await page.keyboard.press('Enter');
      await picker.getByText('Standard deviation (2 of 2)').waitFor();
      await picker.getByRole('textbox').fill('0.2');
      await page.keyboard.press('Enter');
      await entry(/Mean and standard deviation.*mean 0\.4, std 0\.2/).waitFor();
    }));

  it('takes labels, which the model is asked about, and tells what does not fit', () =>
    workbench.attempt('label-data', async () => {
      const { page, screenshot } = workbench;
      const picker = page.locator('.quick-input-widget');
      const entry = (text: string | RegExp) => picker.getByRole('option', { name: text });
      const askForLabels = async () => {
        await picker.getByRole('textbox').fill('Labels');
        await page.keyboard.press('Enter');
        await entry(/labels\.npy.*48 labels · 10 classes/).waitFor();
      };
      await askForLabels();
      await entry(/zeros-few\.npy.*it has 3 numbers for 48 samples/).waitFor();
      await screenshot('calibration-labels');
      await picker.getByRole('textbox').fill('few');
      await page.keyboard.press('Enter');
      await entry(/Use This Data without Labels/).waitFor();
      await entry(/zeros-few\.npy.* holds no labels for this data/).waitFor();
      await screenshot('calibration-labels-unfit');
      await askForLabels();
      await picker.getByRole('textbox').fill('labels.npy');
      await page.keyboard.press('Enter');
      await entry(/Labels.*labels\.npy · 48 labels · 10 classes · .* of 6 right/).waitFor();
      await screenshot('calibration-labels-fit');
      await picker.getByRole('textbox').fill('Use');
      await entry(/Use This Data/).waitFor();
      await page.keyboard.press('Enter');
      await entry('At most 5 % output error').waitFor();
      await entry(/Calibration Data….*calib\.npy \+ labels\.npy · 48 samples, 6 of them held back/).waitFor();
      await entry(/At most 1 point of accuracy lost.*each counts 17 %/).waitFor();
      await entry(/by the weights.*measured on this data/).waitFor();
      await screenshot('calibration-goals-on-data');
    }));

  it('is what the smaller model is fitted to and checked on, as the report says', () =>
    workbench.attempt('fit-to-data', async () => {
      const { page, notification, webviewFrame, openContainer, row, screenshot } = workbench;
      const picker = page.locator('.quick-input-widget');
      await picker.getByRole('option', { name: 'Half the parameters' }).click();
      const toast = await notification(/output error .* on 6 samples held back, right answers .* → /);
      await screenshot('calibration-done');
      await toast.getByRole('button', { name: 'Show Report' }).click();
      await webviewFrame()
        .getByText(/Calibrated on 42 samples of calib\.npy; 6 held back/)
        .waitFor();
      await webviewFrame()
        .getByText(/Right answers .*, afterwards .*, of 6 samples by labels\.npy\./)
        .waitFor();
      await openContainer('Ranksmith');
      await row('Layers', /^net\.onnx, calib\.npy/).waitFor();
      await screenshot('calibration-report');
    }));

  it('is what both models are run on when they are compared', () =>
    workbench.attempt('compare-on-data', async () => {
      const { page, openContainer, contextMenu, pageWith, screenshot } = workbench;
      await openContainer('Explorer');
      await contextMenu('net.compressed.onnx', 'Compare Models');
      await page
        .locator('.quick-input-widget')
        .getByRole('option', { name: /^net\.onnx/ })
        .click();
      const frame = await pageWith('[data-action="run"]');
      await frame
        .getByText(/when the model was compressed\. Input: 6 samples held back of calib\.npy\./)
        .waitFor();
      await frame.getByRole('button', { name: 'Run Both' }).click();
      await frame.getByRole('button', { name: 'Run Both Again' }).waitFor();
      await frame.getByText(/^Measured with .*\)\. Input: 6 samples held back of calib\.npy\./).waitFor();
      await frame.getByText(/Right answers .*, afterwards .*, of 6 samples by labels\.npy\./).waitFor();
      await screenshot('calibration-compare');
    }));
});
