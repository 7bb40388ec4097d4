declare module '@echogarden/espeak-ng-emscripten' {
  interface EspeakWorker {
    /** Address of the C++ object. */
    readonly ptr: number
    set_voice(name: string): number
    set_rate(wordsPerMinute: number): void
    set_pitch(zeroTo99: number): void
    get_samplerate(): number
    getSizeOfEventStruct_(): number
  }

  export interface EspeakModule {
    HEAPU8: Uint8Array
    HEAP16: Int16Array
    HEAP32: Int32Array
    FS: { readdir(path: string): string[]; readFile(path: string, options: { encoding: 'utf8' }): string }
    eSpeakNGWorker: new () => EspeakWorker
    _malloc(bytes: number): number
    addFunction(callback: (pcm: number, samples: number, events: number) => number, signature: string): number
    _emscripten_bind_eSpeakNGWorker_synth__2(self: number, text: number, callback: number): void
  }

  const load: () => Promise<EspeakModule>
  export default load
}
