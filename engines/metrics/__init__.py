"""What is measured on results, one function each. Knows clips, masks, judges; knows no task, no model that renders.

adherence   noun, motion, scene, all_three          psnr, ssim    of latents, pixels, objects, backgrounds
motion      motion_ratio, motion_in_band, static_share             temporal      warping_error, flicker
continuity  seam_jump, drift                        frechet       diorama_fd
identity    is it the same thing                    memory        live storage bytes, RssAnon of a child
bootstrap   a mean and its interval
"""
