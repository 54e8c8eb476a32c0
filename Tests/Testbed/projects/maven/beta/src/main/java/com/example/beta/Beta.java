package com.example.beta;

import com.example.local.Common;
import org.apache.commons.codec.digest.DigestUtils;
import org.slf4j.LoggerFactory;

public final class Beta {
    public static void main(String[] arguments) {
        LoggerFactory.getLogger(Beta.class).info(DigestUtils.sha1Hex(Common.NAME));
    }
}
