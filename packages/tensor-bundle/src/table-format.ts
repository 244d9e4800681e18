/** The last eight bytes of every table. */
export const tableMagic: readonly number[] = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
/** Two handles with their padding, and {@link tableMagic}. */
export const footerBytes = 48;
/** After each block: how it is compressed, and the masked CRC of the block and that byte. */
export const trailerBytes = 5;
