"""The flags that RUN_ARGS may have."""

from __future__ import annotations

from difflib import get_close_matches

from pytest_mighetero.terms.scenario import SCENARIOS

# ``arguments_dict`` of closed/<org>/code/common/arguments.py, v1.0 to v3.0.
_FLAGS = """
    accuracy_log_rng_seed action active_sms assume_contiguous audio_batch_size
    audio_buffer_num_lines audio_fp16_input audit_test batch_size
    batch_triton_requests benchmarks buffer_manager_thread_count cache_file
    calib_batch_size calib_data_map calib_max_batches check_contiguity
    coalesced_tensor complete_threads compress_categorical_inputs config_ver configs
    dali_batches_issue_ahead dali_pipeline_depth data_dir deque_timeout_usec devices
    disable_encoder_plugin disable_log_copy_summary_to_stdout dla_batch_size
    dla_copy_streams dla_core dla_inference_streams dla_loop_count dla_num_batchers
    dla_num_issuers end_on_device engine_file fast force_calibration
    gather_kernel_buffer_threshold gpu_batch_size gpu_copy_streams
    gpu_inference_streams gpu_num_bundles gpu_only gpu_res2res3_loop_count
    inferentia_compiled_model_batch_size inferentia_compiled_model_framework
    inferentia_neuron_core_count inferentia_request_batch_size
    inferentia_threads_per_core input_dtype input_format instance_group_count
    log_copy_detail_to_stdout log_dir log_enable_trace log_mode
    log_mode_async_poll_interval_ms logfile_prefix_with_datetime logfile_suffix
    map_path max_dlas max_duration max_pairs_per_staging_thread max_query_count
    max_queue_delay_usec max_seq_length min_duration min_query_count
    mlperf_conf_path model_path multi_stream_expected_latency_ns
    multi_stream_max_async_queries multi_stream_samples_per_query
    multi_stream_target_latency_ns multi_stream_target_latency_percentile
    multi_stream_target_qps no_child_process no_gpu nobatch_sorting
    noenable_audio_processing nopipelined_execution nouse_copy_kernel
    num_concurrent_batchers num_concurrent_issuers num_samples num_staging_batches
    num_staging_threads num_warmups numa_config offline_expected_qps
    openvino_version output_pinned_memory performance_sample_count
    performance_sample_count_override power power_limit precision
    preferred_batch_size preprocessed_data_dir profile qsl_rng_seed
    request_timeout_usec run_infer_on_copy_streams sample_index_rng_seed
    sample_partition_path scenario scenarios schedule_rng_seed
    server_coalesce_queries server_num_issue_query_threads server_target_latency_ns
    server_target_latency_percentile server_target_qps server_target_qps_adj_factor
    single_stream_expected_latency_ns single_stream_target_latency_percentile
    slice_overlap_patch_kernel_cg_impl split_threshold start_from_device system_name
    tensor_path test_mode unet3d_sw_gaussian_patch_path
    use_batcher_thread_per_device use_concurrent_harness use_cuda_thread_per_device
    use_deque_limit use_direct_host_access use_fp8 use_graphs use_jemalloc
    use_same_context use_spin_wait use_triton user_conf_path verbose verbose_nvtx
    warmup_duration workspace_size
"""
_TARGETS = (each.target_flag for each in SCENARIOS.values() if each.target_flag)
KNOWN_FLAGS = frozenset((*_FLAGS.split(), *_TARGETS))


def nearest_flag(flag: str) -> str | None:
    """Return the known flag that *flag* begins, as v1.0 has it, or is near to."""
    begun = [known for known in KNOWN_FLAGS if known.startswith(flag)]
    near = get_close_matches(flag, KNOWN_FLAGS, n=1, cutoff=0.75)
    return begun[0] if len(begun) == 1 else next(iter(near), None)
