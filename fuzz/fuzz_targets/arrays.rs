#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    hnn_fuzz::arrays(data);
});
