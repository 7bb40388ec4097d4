import { AV_CHANNEL_ORDER_NATIVE } from 'node-av/constants'

/** FFmpeg's mono: one channel, front centre. */
export const MONO = { nbChannels: 1, order: AV_CHANNEL_ORDER_NATIVE, mask: 4n }

/** Rate of everything we deliver, as ACX, INaudio and Google Play want it. */
export const MASTER_RATE = 44_100
