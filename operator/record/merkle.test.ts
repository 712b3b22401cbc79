import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompactRange, leafHash, nodeHash } from './merkle.ts';

/** The test vectors of the Certificate Transparency reference implementation of RFC 6962. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('roots are those of the RFC 6962 test vectors', () => {
  const tree = new CompactRange();
  const roots = LEAVES.map((leaf) => {
    tree.append(leafHash(Buffer.from(leaf, 'hex')));
    return tree.root().toString('hex');
  });
  expect(roots).toEqual(ROOTS);
});

test('the root of nothing is the hash of nothing', () => {
  expect(new CompactRange().root()).toEqual(createHash('sha256').digest());
});

/** The definition of RFC 6962, section 2.1, word for word. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return leafHash(first);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

const leaves = fc.array(
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 80 },
);

test('a tree grown leaf by leaf has the root of the definition', () => {
  fc.assert(
    fc.property(leaves, (all) => {
      const tree = new CompactRange();
      for (const leaf of all) tree.append(leafHash(leaf));
      expect(tree.root()).toEqual(treeHash(all));
      expect(tree.size).toBe(all.length);
    }),
  );
});

test('a tree goes on from its subtrees, and a clone goes its own way', () => {
  fc.assert(
    fc.property(leaves, fc.nat(80), (all, cut) => {
      const before = new CompactRange();
      for (const leaf of all.slice(0, cut)) before.append(leafHash(leaf));
      const root = before.root();
      const size = Math.min(cut, all.length);
      const restored = CompactRange.from(
        size,
        before.subtrees.map(({ hash }) => hash),
      );
      const clone = before.clone();
      for (const leaf of all.slice(cut)) {
        restored?.append(leafHash(leaf));
        clone.append(leafHash(leaf));
      }
      expect(restored?.root()).toEqual(treeHash(all));
      expect(clone.root()).toEqual(treeHash(all));
      expect(before.root()).toEqual(root);
    }),
  );
});

test('subtrees of another size are no tree', () => {
  expect(CompactRange.from(3, [leafHash(Buffer.from('a'))])).toBeUndefined();
});
