/** docs/detectors.md is written from the detectors; `npx vitest run test/masking/docs.test.ts -u` writes it anew. */
import { expect, test } from 'vitest';
import { PRESETS } from '../../proxy/engine/mask/detectors/index.ts';

test('docs/detectors.md lists every detector with its source', async () => {
  const presets = Object.entries(PRESETS).map(([preset, detectors]) => {
    const lines = detectors.map(
      ({ name, description, source }) => `- \`${name}\`: ${description}. ${source}`,
    );
    return `## ${preset} (${detectors.length})\n\n${lines.join('\n')}\n`;
  });
  const page = `# Detectors

What each preset of a MaskingPolicy looks for, and the document that defines the format. Written by test/masking/docs.test.ts.

${presets.join('\n')}`;
  await expect(page).toMatchFileSnapshot('../../docs/detectors.md');
});

test('there are as many as was promised', () => {
  expect(PRESETS.Credentials.length).toBeGreaterThanOrEqual(100);
  expect(PRESETS.PersonalData.length).toBeGreaterThanOrEqual(12);
});
