"""The flags that RUN_ARGS may have."""

from __future__ import annotations

from difflib import get_close_matches

from pytest_mighetero.terms.scenario import SCENARIOS

# ``arguments_dict`` of closed/<org>/code/common/arguments.py, v1.0 to v3.0.
_ARGUMENTS = """
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
# ``Field``s of closed/<org>/code that it had not: code/common/fields.py of v4.1, and
# those of v5.1 and v6.0 (code/fields, and of single benchmarks).
_FIELDS = """
    accuracy_sample_count_override accuracy_target bert_opt_seqlen bot_mlp_precision
    calib_data_dir capture_server_logs_dir config_dir config_id core_type cpu_freq
    device_types disable_beta1_smallk disable_progress_display disagg_bench_mode
    dla_engine_batch_size dynamo_cluster dynamo_frontend_host dynamo_frontend_port
    dynamo_frontend_secondary dynamo_kv_overlap_weight dynamo_router_mode
    dynamo_router_replica_sync embedding_weights_on_gpu_part embeddings_path
    embeddings_precision enable_metrics enable_sort enable_ttft_latency_tracker
    energy_aware_kernels engine_dir env_yml_override final_linear_precision
    force_build_engines gemm_plugin_fairshare_cache_size glog_verbosity
    gpu_engine_batch_size gpu_indices gpu_rank_map graph_specs graphs_max_seqlen
    harness_type harness_use_hf_tokenizer interaction_op_precision
    kvcache_free_gpu_mem_frac llm_gen_config_path llm_quantizer_outdir
    max_num_tokens moe_expert_parallelism mpi_mode nms_type no_audit_verify
    nsys_options num_sort_segments orin_num_cores orin_skip_maxq_reset
    pipeline_parallelism power_setting profiler py_harness q3vl_dataset_repo_id
    q3vl_dataset_revision q3vl_dataset_split q3vl_dataset_token q3vl_enable_trace
    q3vl_endpoint_healthcheck_timeout q3vl_endpoint_poll_interval
    q3vl_endpoint_request_timeout q3vl_endpoint_shutdown_timeout
    q3vl_endpoint_startup_timeout q3vl_etcd_healthcheck_timeout q3vl_etcd_hostname
    q3vl_etcd_poll_interval q3vl_etcd_port q3vl_etcd_startup_timeout
    q3vl_frontend_cli q3vl_frontend_enable_numa_binding
    q3vl_frontend_healthcheck_timeout q3vl_frontend_poll_interval
    q3vl_frontend_startup_timeout q3vl_log_mode q3vl_log_output q3vl_max_concurrency
    q3vl_max_duration q3vl_min_duration q3vl_model_repo_id q3vl_model_revision
    q3vl_model_token q3vl_nats_healthcheck_timeout q3vl_nats_hostname
    q3vl_nats_monitoring_port q3vl_nats_poll_interval q3vl_nats_port
    q3vl_nats_startup_timeout q3vl_num_warmup_requests_per_vllm_instance
    q3vl_omp_num_threads q3vl_random_seed q3vl_server_target_latency q3vl_test_mode
    q3vl_test_scenario q3vl_tokio_worker_threads q3vl_use_http_client q3vl_vllm_cli
    q3vl_vllm_dyn_log q3vl_vllm_enable_numa_binding q3vl_vllm_flashinfer_moe_backend
    q3vl_vllm_flashinfer_workspace_buffer_size q3vl_vllm_logging_level
    q3vl_vllm_mm_encoder_fp8_attn q3vl_vllm_use_flashinfer_moe_fp4
    q3vl_vllm_use_flashinfer_sampler q3vl_vllm_use_triton_pos_embed
    q3vl_wandb_api_key q3vl_wandb_entity q3vl_wandb_name q3vl_wandb_project
    qsl_numa_override quantizer_lib_path_override readiness_timeout results_dir
    rgat_buffer_size sdxl_batcher_time_limit server_in_foreground
    server_use_hf_tokenizer show_steady_state_progress skip_graphsurgeon
    soc_cpu_freq soc_dla_freq soc_emc_freq soc_gpu_freq soc_pva_freq soft_drop
    strongly_typed tensor_parallelism test_run top_mlp_precision
    traffic_distribution_policy triton_grpc_ports triton_num_clients_per_frontend
    triton_num_clients_per_server triton_num_frontends_per_model
    triton_num_models_per_server triton_num_servers triton_server_urls
    triton_skip_server_spawn triton_verbose_frontend trtllm_batch_sched_policy
    trtllm_batching_mode trtllm_build_flags trtllm_checkpoint_flags
    trtllm_disagg_config_path trtllm_lib_path trtllm_runtime_flags
    trtllm_server_urls trtllm_yml_override use_inflight_batching
    use_native_instance_norm use_power_meter use_single_qsl
    use_small_tile_gemm_plugin use_token_latencies vboost_slider verbose_glog
    verbose_nvsmi wan22_attn_type wan22_cfg_size wan22_cp_size
    wan22_cpu_offload_stride wan22_disable_parallel_vae wan22_dp_size
    wan22_enable_visual_gen_cpu_offload wan22_fsdp_size wan22_gpu_ids
    wan22_gpus_per_server wan22_guidance_scale wan22_guidance_scale_2 wan22_height
    wan22_linear_type wan22_model_path wan22_negative_prompt wan22_num_frames
    wan22_num_inference_steps wan22_num_servers wan22_parallel_vae_split_dim
    wan22_prompt_file wan22_ring_size wan22_server_urls wan22_t5_fsdp_size
    wan22_total_sample_count wan22_tp_size wan22_ulysses_size
    wan22_use_server_client wan22_warmup_iters wan22_width warmup_iterations
    whisper_decoder_build_flags whisper_encoder_build_flags
"""
_TARGETS = (each.target_flag for each in SCENARIOS.values() if each.target_flag)
KNOWN_FLAGS = frozenset((*_ARGUMENTS.split(), *_FIELDS.split(), *_TARGETS))


def nearest_flag(flag: str) -> str | None:
    """Return the known flag that *flag* begins, as v1.0 has it, or is near to."""
    begun = [known for known in KNOWN_FLAGS if known.startswith(flag)]
    near = get_close_matches(flag, KNOWN_FLAGS, n=1, cutoff=0.75)
    return begun[0] if len(begun) == 1 else next(iter(near), None)
